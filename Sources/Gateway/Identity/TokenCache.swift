internal import Crypto
internal import EventLoop
internal import PostgreSQL
internal import Store

/// What the database said about tokens and external users, kept as long as PostgreSQL tells us of changes, and for a
/// stated grace when it can no longer be asked. The digest is the key; a token itself is never kept.
@LoopActor
final class TokenCache {
    private struct Entry<Content> {
        var content: Content
        var askedAt: Int64
        /// Somebody would have told us of a change until then, or tells us now.
        var confirmedAt: Int64
        var isConfirmed: Bool
        var touchedAt: Int64 = 0

        init(_ content: Content, isConfirmed: Bool) {
            self.content = content
            self.isConfirmed = isConfirmed
            askedAt = Loop.now
            confirmedAt = Loop.now
        }

        mutating func doubt(since: Int64) {
            guard isConfirmed else { return }
            isConfirmed = false
            confirmedAt = max(askedAt, since)
        }
    }

    /// Milliseconds after which an entry is asked for again although nobody said that it changed.
    private static let lifetime: Int64 = 300_000
    private static let touchInterval: Int64 = 60_000
    /// Milliseconds for the database to say who somebody is.
    private static let patience = 500
    /// Entries at most; beyond it the cache starts afresh.
    private static let capacity = 50_000

    private let pool: Pool
    /// Milliseconds that an entry is believed after it was confirmed last, if the database cannot be asked.
    private let grace: Int64
    private let isFed: @LoopActor () -> Bool
    private var tokens: [[UInt8]: Entry<TokenOwner>] = [:]
    /// By source and name in bytes, as the database tells them apart: two strings of Swift's are equal that differ in
    /// how an accent is written, and would make one user of two.
    private var users: [[UInt8]: Entry<User>] = [:]
    /// Counts what was forgotten. An answer of the database that was asked for before is not kept: it may be older
    /// than the change that somebody told us of meanwhile.
    private var changes = 0
    /// Counts times at which changes may have been missed. An answer that was asked for before is not confirmed.
    private var doubts = 0

    /// `isFed` tells whether notifications arrive; while they do not, the database is asked each time. `grace` is in
    /// seconds.
    init(_ pool: Pool, grace: Double = 0, isFed: @escaping @LoopActor () -> Bool) {
        self.pool = pool
        self.grace = Int64(grace * 1000)
        self.isFed = isFed
    }

    /// The token of this digest with its user. Throws `DatabaseError` when that cannot be known now.
    func owner(of digest: [UInt8]) async throws -> TokenOwner? {
        if let entry = tokens[digest], isFresh(entry) {
            touch(digest, entry)
            return entry.content
        }
        do {
            return try await ask(digest)
        } catch let error as DatabaseError where error.kind == .unavailable {
            guard let entry = tokens[digest], isWithinGrace(entry) else { throw error }
            return entry.content
        }
    }

    private func ask(_ digest: [UInt8]) async throws -> TokenOwner? {
        let (changes, doubts) = (changes, doubts)
        let found = try await inTime { try await Tokens.find(digest: digest, in: $0) }
        guard let owner = found, constantTimeEqual(owner.token.digest, digest) else {
            tokens[digest] = nil
            return nil
        }
        guard changes == self.changes else { return owner }
        if tokens.count >= Self.capacity { tokens = [:] }
        var entry = Entry(owner, isConfirmed: isFed() && doubts == self.doubts)
        entry.touchedAt = tokens[digest]?.touchedAt ?? 0
        tokens[digest] = entry
        touch(digest, entry)
        return owner
    }

    /// The user whom the web server or a front end vouches for; stored, and audited, at first sight.
    func external(_ user: User, audit: AuditEntry<User>? = nil) async throws -> User {
        let key = Array("\(user.source.rawValue):\(user.name)".utf8)
        if let entry = users[key], isFresh(entry) { return entry.content }
        let (changes, doubts) = (changes, doubts)
        do {
            let stored = try await inTime {
                try await Users.upsertExternal(user, audit: audit, in: $0)
            }
            guard changes == self.changes else { return stored }
            if users.count >= Self.capacity { users = [:] }
            users[key] = Entry(stored, isConfirmed: isFed() && doubts == self.doubts)
            return stored
        } catch let error as DatabaseError where error.kind == .unavailable {
            guard let entry = users[key], isWithinGrace(entry) else { throw error }
            return entry.content
        }
    }

    private func inTime<Result: Sendable>(
        _ question: @escaping @LoopActor @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        let answer = try await Loop.within(milliseconds: Self.patience) { [pool] in
            try await question(pool)
        }
        guard let answer else { throw DatabaseError.unavailable("asking who it is took too long") }
        return answer
    }

    /// Takes a notification: the digest in hexadecimal, or `user:` and an id.
    func forget(_ payload: String) {
        if payload.hasPrefix("user:") {
            forget(user: String(payload.dropFirst(5)))
        } else if let digest = Hex.decode(payload) {
            changes += 1
            tokens[digest] = nil
        }
    }

    /// Asks again for a user, and for his tokens.
    func forget(user id: String) {
        changes += 1
        users = users.filter { $0.value.content.id != id }
        tokens = tokens.filter { $0.value.content.user.id != id }
    }

    /// Notifications may have been missed since then (monotonic milliseconds): everything is asked for again.
    func doubtAll(since: Int64) {
        doubts += 1
        for digest in tokens.keys { tokens[digest]?.doubt(since: since) }
        for name in users.keys { users[name]?.doubt(since: since) }
    }

    private func isFresh<Content>(_ entry: Entry<Content>) -> Bool {
        entry.isConfirmed && isFed() && Loop.now - entry.askedAt < Self.lifetime
    }

    private func isWithinGrace<Content>(_ entry: Entry<Content>) -> Bool {
        grace > 0 && (entry.isConfirmed && isFed() || Loop.now - entry.confirmedAt < grace)
    }

    /// Notes the last use, coarsely and without waiting for it.
    private func touch(_ digest: [UInt8], _ entry: Entry<TokenOwner>) {
        guard Loop.now - entry.touchedAt >= Self.touchInterval else { return }
        tokens[digest]?.touchedAt = Loop.now
        spawn { [pool] in try? await Tokens.touch(entry.content.token.id, at: .now, in: pool) }
    }
}
