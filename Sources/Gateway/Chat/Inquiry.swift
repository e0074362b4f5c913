internal import EventLoop
internal import FastCGI
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// What a request wants of a model. All routes to a model share these stations: the candidates are asked in order, and
/// what was used is recorded once, however the request ends.
@LoopActor
final class Inquiry {
    /// Bytes of a provider's error reply that are looked at, and of a whole answer.
    private static let errorLimit = 64 * 1024
    private static let answerLimit = 64 << 20

    let exchange: Exchange
    let worker: Worker
    /// The model's id as the caller wrote it.
    let asked: String
    let model: ServedModel
    let isSideRequest: Bool
    private var candidates: [Candidate]
    /// The member of the request that is too long when a provider says that its window is too small.
    private let prompt: String

    /// An inquiry of a model that was found for the caller.
    init(
        _ exchange: Exchange, _ worker: Worker, _ model: ServedModel, asked: String, prompt: String,
        isSideRequest: Bool = false
    ) {
        self.exchange = exchange
        self.worker = worker
        self.model = model
        self.asked = asked
        self.prompt = prompt
        candidates = model.candidates
        self.isSideRequest = isSideRequest
        exchange.findings.model = asked
        exchange.findings.isSideRequest = isSideRequest
    }

    /// Asks only candidates that have a language model. Throws when there is none.
    func passOverEmbedded() throws(APIError) {
        candidates.removeAll { $0.provider.isEmbedded }
        guard candidates.isEmpty, !model.candidates.isEmpty else { return }
        throw .invalidValue(
            "model", "it only quotes documents; name one that has a language model behind it")
    }

    /// Runs the stations behind admission. `record` is told how they ended if they threw.
    func run(
        _ stations: () async throws -> Answer, record: (Progress.End) async -> Void
    ) async throws -> Answer {
        do {
            return try await stations()
        } catch {
            await record(Progress.End(error))
            throw error
        }
    }

}

extension Progress.End {
    /// The end that an error is.
    init(_ error: any Error) {
        self =
            Self.isCut(error) ? .incomplete : .failed(APIError(of: error).status.rawValue)
    }

    /// The caller has gone, or this worker goes: nothing has failed.
    static func isCut(_ error: any Error) -> Bool {
        error is CancellationError || error is ReplyError
    }
}

/// Station 10: the candidates in order, until one of them has something to say.
extension Inquiry {
    /// Runs `attempt` for each candidate until one succeeds. Once something was said, there is no other attempt.
    func eachCandidate<Result>(
        unless hasBegun: () -> Bool = { false }, _ attempt: (Candidate) async throws -> Result
    ) async throws -> Result {
        var last = ProviderFailure(.providerUnreachable, isRetriable: false, detail: "no candidate")
        for candidate in candidates {
            exchange.findings.provider = candidate.provider.name
            exchange.findings.providerModel = candidate.model
            do {
                return try await attempt(candidate)
            } catch let error as ProviderFailure {
                last = error
            } catch let error as ClientError {
                last = ProviderFailure(error)
            }
            if last.error.code == "context_length_exceeded" { last.error.param = prompt }
            exchange.findings.detail = "\(candidate.provider.name): \(last.debugDescription)"
            if hasBegun() || !last.permitsFailover { break }
        }
        throw last
    }

    /// Puts a question to a candidate. Whoever asks closes the transfer.
    func ask(_ candidate: Candidate, _ request: ProviderRequest) throws(ClientError) -> Transfer {
        try worker.client.start(
            Call(
                method: request.method, url: candidate.provider.baseURL + request.path,
                fields: request.fields, body: request.body,
                deadlines: candidate.provider.deadlines))
    }

    /// Returns when the provider has accepted the question. Closes the transfer if it does not.
    func accept(_ transfer: Transfer, by provider: any Provider) async throws {
        do {
            try await check(transfer, provider)
        } catch {
            transfer.close()
            throw error
        }
    }

    /// Waits for the whole answer.
    func answer(_ transfer: Transfer, by provider: any Provider) async throws -> [UInt8] {
        try await accept(transfer, by: provider)
        defer { transfer.close() }
        return try await transfer.body(limit: Self.answerLimit)
    }

    private func check(_ transfer: Transfer, _ provider: any Provider) async throws {
        let head = try await transfer.head()
        if head.status.isSuccess {
            // Somebody's page: a wrong address, or a proxy that wants a sign-in.
            guard head.fields["content-type"]?.lowercased().hasPrefix("text/html") == true else {
                return
            }
            throw ProviderFailure(
                .providerBadResponse, isRetriable: false, detail: "an HTML page")
        }
        let body = (try? await transfer.body(limit: Self.errorLimit)) ?? []
        try Task.checkCancellation()
        throw provider.failure(status: head.status, fields: head.fields, body: body)
    }
}

/// Station 12.
extension Inquiry {
    /// Records how it ended and what was used; nil for nothing. What else must be stored, `storing` stores first. Once
    /// for each request, whatever became of it, in a task of its own: it happens although the caller has left.
    func record(
        _ end: Progress.End, _ usage: OpenAI.Usage?,
        storing: (@LoopActor @Sendable () async -> Void)? = nil
    ) async {
        guard exchange.progress.end(end, callerHasLeft: exchange.connection.hasDeparted) else {
            return
        }
        let usage =
            usage ?? OpenAI.Usage(promptTokens: 0, completionTokens: 0, source: .estimated)
        exchange.findings.usage = usage
        let row = row(end, usage)
        await spawn { [worker] in
            await storing?()
            await worker.ledger.add(row)
        }.value
    }

    private func row(_ end: Progress.End, _ usage: OpenAI.Usage) -> UsageRow {
        var row = UsageRow(
            id: Identifier.make("usage"), createdAt: .now, requestID: exchange.requestID,
            route: exchange.route)
        row.userID = exchange.identity?.user?.id
        row.tokenID = exchange.identity?.tokenID
        row.model = asked
        row.provider = exchange.findings.provider
        row.providerModel = exchange.findings.providerModel
        row.kind = isSideRequest ? .side : .request
        row.promptTokens = usage.promptTokens
        row.completionTokens = usage.completionTokens
        row.totalTokens = usage.totalTokens
        row.source = UsageRow.Source(rawValue: usage.source.rawValue) ?? .estimated
        row.ended = end.ended
        row.status = exchange.progress.status ?? end.status
        row.firstEventMilliseconds = exchange.findings.firstEventAt.map {
            Int($0 - exchange.acceptedAt)
        }
        row.durationMilliseconds = exchange.elapsed
        return row
    }
}
