internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// Station 7 for requests that their callers name: the first of a name runs, and whoever sends it again gets its reply.
/// Handlers know nothing of it. All workers agree by PostgreSQL.
@LoopActor
final class Idempotency {
    /// Seconds that a claim holds if its worker does not put that off: what a host that died keeps its keys for.
    private static let lease = 120
    /// Milliseconds between two rounds, in each of which claims are put off.
    private static let interval = 20_000
    /// Rounds between two times at which old rows are deleted, and how many at once, and how often at most.
    private static let sweepInterval = 30
    private static let (sweepSize, sweepCount) = (500, 20)

    private let pool: Pool
    private let log: Log
    private let instanceID: String
    /// Seconds that a reply is kept.
    private let lifetime: Int
    /// Ids of claims whose requests run.
    private var running: Set<String> = []
    /// Requests that were answered while the database was away, and their statuses.
    private var untold: [Claim: Int] = [:]
    private var round = 0

    init(_ pool: Pool, _ log: Log, instanceID: String, lifetime: Double) {
        self.pool = pool
        self.log = log
        self.instanceID = instanceID
        self.lifetime = Int(lifetime)
    }

    /// Has the request answered by `handler`, unless it was, or is being, answered already.
    func once(
        _ key: IdempotencyKey, _ exchange: Exchange, _ handler: () async throws -> Answer
    ) async throws -> Answer {
        let claim = Claim(
            id: Identifier.digits(), ownerID: key.owner, tokenID: key.tokenID, key: key.text,
            fingerprint: IdempotencyKey.fingerprint(of: exchange.request), worker: instanceID)
        // A claim must not be granted to somebody who is no longer there to end it.
        switch try await undisturbed({ [self] in try await take(claim) }) {
        case .granted: break
        case .running: throw APIError.idempotencyKeyInUse
        case .taken: throw APIError.idempotencyKeyTaken
        case .forgotten: throw APIError.idempotentReplyForgotten
        case .answered(let reply):
            exchange.findings.isReplayed = true
            return .response(HTTP.Response(reply))
        }
        let copy = ReplyCopy { [self] in await settle(claim, $0) }
        exchange.copy = copy
        do { return try await handler() } catch {
            await copy.drop()
            throw error
        }
    }

    /// Takes the name for a request, which has it from then on until `settle`.
    func take(_ claim: Claim) async throws -> Claiming {
        let now = Timestamp.now
        let claiming = try await IdempotencyKeys.take(
            claim, now: now, until: now.adding(seconds: Self.lease), in: pool)
        if claiming == .granted { running.insert(claim.id) }
        return claiming
    }

    /// Gives the name up, or the reply to it. In a task of its own: it happens although the caller has left.
    func settle(_ claim: Claim, _ fate: ReplyCopy.Fate) async {
        await spawn { [self] in
            do {
                switch fate {
                case .nothing: try await IdempotencyKeys.release(claim, in: pool)
                case .forgotten(let status): try await finish(claim, status, nil)
                case .answered(let reply): try await finish(claim, reply.status, reply)
                }
            } catch {
                log.event("idempotency_lost", [Log.detail(error)])
                if let status = fate.status { untold[claim] = status }
            }
            if untold[claim] == nil { running.remove(claim.id) }
        }.value
    }

    private func finish(_ claim: Claim, _ status: Int, _ reply: KeptReply?) async throws {
        try await IdempotencyKeys.finish(
            claim, status: status, reply: reply, until: .now.adding(seconds: lifetime), in: pool)
    }
}

/// What goes on beside the requests.
extension Idempotency {
    /// Begins the rounds, which go on as long as this worker does.
    func begin() {
        Loop.after(milliseconds: Self.interval) { [weak self] in
            guard let self else { return }
            spawn { [self] in
                await goRound()
                begin()
            }
        }
    }

    /// Puts off the end of what runs, and tells what could not be told before. What cannot be done is done in a later
    /// round.
    func goRound() async {
        try? await tell()
        if !running.isEmpty {
            let end = Timestamp.now.adding(seconds: Self.lease)
            try? await IdempotencyKeys.renew(Array(running), of: instanceID, until: end, in: pool)
        }
        if round.isMultiple(of: Self.sweepInterval) { try? await sweep() }
        round += 1
    }

    /// A request that was answered must not run again, although its reply is lost.
    private func tell() async throws {
        for (claim, status) in untold {
            try await finish(claim, status, nil)
            untold[claim] = nil
            running.remove(claim.id)
        }
    }

    private func sweep() async throws {
        for _ in 0..<Self.sweepCount {
            let count = try await IdempotencyKeys.sweep(at: .now, limit: Self.sweepSize, in: pool)
            guard count == Self.sweepSize else { return }
        }
    }
}

extension ReplyCopy.Fate {
    /// Of a reply that was given; nil for none.
    fileprivate var status: Int? {
        switch self {
        case .answered(let reply): reply.status
        case .forgotten(let status): status
        case .nothing: nil
        }
    }
}
