import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Users")
@LoopActor
struct UserTests {
    @Test("are unique by source and name")
    func unique() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1", name: "ada"), in: pool)
        try await Users.create(.make("user_2", name: "ada", source: .webServer), in: pool)
        do {
            try await Users.create(.make("user_3", name: "ada"), in: pool)
            Issue.record("stored twice")
        } catch let error as DatabaseError {
            #expect(error.isUniqueViolation)
            #expect(!error.debugDescription.contains("ada"))
        }
        #expect(try await Users.find(id: "user_1", in: pool)?.name == "ada")
        #expect(try await Users.find(name: "ada", source: .webServer, in: pool)?.id == "user_2")
        #expect(try await Users.find(id: "user_3", in: pool) == nil)
        await pool.close()
    }

    @Test("of a front end appear once, however many requests bring them first")
    func upsert() async throws {
        let pool = try await makeStore()
        var ids: Set<String> = []
        try await concurrently(64) { number in
            var user = User.make("user_\(number)", name: metacharacters, source: .frontEnd)
            user.email = number % 2 == 0 ? metacharacters : nil
            let stored = try await Users.upsertExternal(user, in: pool)
            #expect(stored.name == metacharacters)
            ids.insert(stored.id)
        }
        #expect(ids.count == 1)
        #expect(try await Users.list(limit: 10, in: pool).map(\.email) == [metacharacters])
        await pool.close()
    }

    @Test("are listed page by page, each once")
    func pages() async throws {
        let pool = try await makeStore()
        let now = Timestamp.now
        for number in 0..<7 {
            var user = User.make("user_\(number)")
            user.createdAt = now  // the id decides
            try await Users.create(user, in: pool)
        }
        var seen: [String] = []
        while true {
            let page = try await Users.list(after: seen.last, limit: 3, in: pool)
            if page.isEmpty { break }
            seen += page.map(\.id)
        }
        #expect(seen == (0..<7).map { "user_\($0)" })
        await #expect(throws: UnknownCursor.self) {
            try await Users.list(after: "user_7", limit: 3, in: pool)
        }
        await pool.close()
    }

    @Test("keep the time of their first disabling")
    func disable() async throws {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        let first = Timestamp(seconds: 1_800_000_000)
        #expect(try await Users.disable("user_1", at: first, in: pool))
        #expect(try await Users.disable("user_1", at: .now, in: pool))
        #expect(try await Users.find(id: "user_1", in: pool)?.disabledAt == first)
        #expect(try await Users.enable("user_1", in: pool))
        #expect(try await Users.find(id: "user_1", in: pool)?.disabledAt == nil)
        #expect(try await !Users.disable("user_2", at: first, in: pool))
        #expect(try await Users.changeRole(of: "user_1", to: "admin", in: pool))
        #expect(try await Users.find(id: "user_1", in: pool)?.role == "admin")
        await pool.close()
    }
}
