import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("API tokens")
@LoopActor
struct TokenTests {
    func token(_ number: Int, user: String = "user_1") -> APIToken {
        APIToken(
            id: "token_\(number)", userID: user, name: "laptop",
            digest: [UInt8](repeating: UInt8(number), count: 32), createdAt: .now)
    }

    @Test("are found by digest together with their user")
    func find() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        var stored = token(1)
        stored.name = metacharacters
        stored.scopes = ["chat", metacharacters]
        stored.models = [metacharacters]
        stored.hint = "Xy9z"
        stored.pepperVersion = 3
        stored.expiresAt = stored.createdAt.adding(seconds: 90 * 86_400)
        try await Tokens.insert(stored, in: pool)
        let found = try #require(try await Tokens.find(digest: stored.digest, in: pool))
        #expect(found.token == stored)
        #expect(found.user.id == "user_1" && found.user.role == "user")
        #expect(try await Tokens.find(digest: token(2).digest, in: pool) == nil)
        #expect(try await Tokens.find(digest: [], in: pool) == nil)
        await pool.close()
    }

    @Test("count as there until revoked or expired")
    func hasAny() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        let now = Timestamp.now
        #expect(try await !Tokens.hasAny(user: "user_1", at: now, in: pool))
        var stored = token(1)
        stored.expiresAt = now.adding(seconds: 10)
        try await Tokens.insert(stored, in: pool)
        #expect(try await Tokens.hasAny(user: "user_1", at: now, in: pool))
        #expect(try await !Tokens.hasAny(user: "user_1", at: now.adding(seconds: 11), in: pool))
        #expect(try await Tokens.revoke("token_1", user: "user_2", at: now, in: pool) == nil)
        #expect(try await Tokens.revoke("token_1", user: "user_1", at: now, in: pool) != nil)
        #expect(try await Tokens.revoke("token_1", at: now, in: pool) == nil)
        #expect(try await !Tokens.hasAny(user: "user_1", at: now, in: pool))
        #expect(try await Tokens.find(digest: stored.digest, in: pool)?.token.revokedAt == now)
        await pool.close()
    }

    @Test("leave exactly one when sixteen mintings race to replace")
    func replace() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        try await Users.create(.make("user_2"), in: pool)
        try await Tokens.insert(token(100, user: "user_2"), in: pool)
        var revoked = 0
        try await concurrently(16) { number in
            let token = self.token(number)
            revoked += try await Tokens.replaceAll(
                with: token, audited: [auditRow("minted", token.id)],
                audit: { auditRow("revoked", $0.id) }, in: pool)
        }
        let all = try await Tokens.list(user: "user_1", in: pool)
        #expect(all.count == 16)
        #expect(all.filter { $0.revokedAt == nil }.count == 1)
        #expect(revoked == 15)
        #expect(try await audited("minted", in: pool) == all.map(\.id).sorted())
        let gone = all.filter { $0.revokedAt != nil }.map(\.id).sorted()
        #expect(try await audited("revoked", in: pool) == gone)
        #expect(try await Tokens.hasAny(user: "user_2", at: .now, in: pool))
        await pool.close()
    }

    @Test("note their last use once a minute")
    func touch() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        try await Tokens.insert(token(1), in: pool)
        let now = Timestamp(seconds: 1_800_000_000)
        for (seconds, expected) in [(0, 0), (59, 0), (61, 61), (62, 61)] {
            try await Tokens.touch("token_1", at: now.adding(seconds: seconds), in: pool)
            let used = try await Tokens.list(user: "user_1", in: pool).first?.lastUsedAt
            #expect(used == now.adding(seconds: expected))
        }
        await pool.close()
    }

    @Test("tell all workers what changed, and nothing else")
    func notifications() async throws {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 2, statementTimeout: 30_000)
        try await Migrations.apply(at: .now, in: pool)
        var heard: [String] = []
        let listener = NotificationListener(
            settings: try Settings(conninfo: conninfo, resolvesNames: false), sender: pool,
            channels: [Tokens.channel], events: .init { heard.append($1) })
        #expect(await waitUntil { listener.isListening })

        try await Users.create(.make("user_1"), in: pool)
        try await Tokens.insert(token(1), in: pool)
        try await Tokens.touch("token_1", at: .now, in: pool)
        _ = try await Tokens.revoke("token_1", at: .now, in: pool)
        // As it was.
        _ = try await Users.change("user_1", UserChange(role: "user"), at: .now, in: pool)
        _ = try await Users.change("user_1", UserChange(role: "admin"), at: .now, in: pool)
        _ = try await Users.change("user_1", UserChange(isDisabled: true), at: .now, in: pool)
        #expect(await waitUntil { heard.count >= 3 })
        #expect(heard == [String(repeating: "01", count: 32), "user:user_1", "user:user_1"])
        listener.close()
        await pool.close()
    }
}
