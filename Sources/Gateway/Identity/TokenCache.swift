internal import Crypto
internal import EventLoop
internal import PostgreSQL
internal import Store

/// What the database said about tokens and external users, kept as long as PostgreSQL tells us of changes. The digest
/// is the key; a token itself is never kept.
@LoopActor
final class TokenCache {
    private struct Entry<Content> {
        var content: Content
        var storedAt: Int64
        var touchedAt: Int64 = 0
    }

    /// Milliseconds after which an entry is asked for again although nobody said that it changed.
    private static let lifetime: Int64 = 300_000
    private static let touchInterval: Int64 = 60_000
    /// Entries at most; beyond it the cache starts afresh.
    private static let capacity = 50_000

    private let pool: Pool
    private let isFed: @LoopActor () -> Bool
    private var tokens: [[UInt8]: Entry<TokenOwner>] = [:]
    private var users: [String: Entry<User>] = [:]
    /// Counts what was forgotten. An answer of the database that was asked for before is not kept: it may be older
    /// than the change that somebody told us of meanwhile.
    private var generation = 0

    /// `isFed` tells whether notifications arrive; while they do not, nothing is taken from the cache.
    init(_ pool: Pool, isFed: @escaping @LoopActor () -> Bool) {
        self.pool = pool
        self.isFed = isFed
    }

    /// The token of this digest with its user.
    func owner(of digest: [UInt8]) async throws -> TokenOwner? {
        if let entry = tokens[digest], isFresh(entry.storedAt) {
            touch(digest, entry)
            return entry.content
        }
        return try await ask(digest)
    }

    private func ask(_ digest: [UInt8]) async throws -> TokenOwner? {
        let asked = generation
        guard let owner = try await Tokens.find(digest: digest, in: pool),
            constantTimeEqual(owner.token.digest, digest)
        else {
            tokens[digest] = nil
            return nil
        }
        guard asked == generation else { return owner }
        if tokens.count >= Self.capacity { tokens = [:] }
        let touchedAt = tokens[digest]?.touchedAt ?? 0
        let entry = Entry(content: owner, storedAt: Loop.now, touchedAt: touchedAt)
        tokens[digest] = entry
        touch(digest, entry)
        return owner
    }

    /// The user whom the web server or a front end vouches for; stored at first sight.
    func external(_ user: User) async throws -> User {
        let key = "\(user.source.rawValue):\(user.name)"
        if let entry = users[key], isFresh(entry.storedAt) { return entry.content }
        let asked = generation
        let stored = try await Users.upsertExternal(user, in: pool)
        guard asked == generation else { return stored }
        if users.count >= Self.capacity { users = [:] }
        users[key] = Entry(content: stored, storedAt: Loop.now)
        return stored
    }

    /// Takes a notification: the digest in hexadecimal, or `user:` and an id.
    func forget(_ payload: String) {
        generation += 1
        if payload.hasPrefix("user:") {
            let id = payload.dropFirst(5)
            users = users.filter { $0.value.content.id != id }
            tokens = tokens.filter { $0.value.content.user.id != id }
        } else if let digest = Hex.decode(payload) {
            tokens[digest] = nil
        }
    }

    /// Notifications may have been missed.
    func forgetAll() {
        generation += 1
        tokens = [:]
        users = [:]
    }

    private func isFresh(_ storedAt: Int64) -> Bool {
        isFed() && Loop.now - storedAt < Self.lifetime
    }

    /// Notes the last use, coarsely and without waiting for it.
    private func touch(_ digest: [UInt8], _ entry: Entry<TokenOwner>) {
        guard Loop.now - entry.touchedAt >= Self.touchInterval else { return }
        tokens[digest]?.touchedAt = Loop.now
        spawn { [pool] in try? await Tokens.touch(entry.content.token.id, at: .now, in: pool) }
    }
}
