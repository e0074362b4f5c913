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
            let stored = try await Users.upsertExternal(
                user, audit: { auditRow("created", $0.id) }, in: pool)
            #expect(stored.name == metacharacters)
            ids.insert(stored.id)
        }
        #expect(ids.count == 1)
        #expect(try await audited("created", in: pool) == Array(ids))
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
        func change(
            _ change: UserChange, of id: String = "user_1", at now: Timestamp = .now
        ) async throws -> User? {
            let changed = try await Users.change(id, change, at: now, in: pool)
            #expect(try await Users.find(id: id, in: pool) == changed)
            return changed
        }
        #expect(try await change(UserChange(isDisabled: true), at: first)?.disabledAt == first)
        #expect(try await change(UserChange(isDisabled: true))?.disabledAt == first)
        #expect(try await change(UserChange(isDisabled: false))?.disabledAt == nil)
        #expect(try await change(UserChange(isDisabled: true), of: "user_2") == nil)
        let both = try await change(UserChange(role: "admin", isDisabled: true), at: first)
        #expect(both?.role == "admin" && both?.disabledAt == first)
        await pool.close()
    }

    @Test("leave one who administers, also when all disable each other at once")
    func lastAdministrator() async throws {
        let pool = try await makeStore()
        let roles = ["admin", "operator"]
        for number in 0..<8 {
            var user = User.make("user_\(number)")
            user.role = roles[number % 2]
            try await Users.create(user, in: pool)
        }
        try await Users.create(.make("user_8"), in: pool)
        var refused = 0
        try await concurrently(8) { number in
            let change =
                number < 4 ? UserChange(isDisabled: true) : UserChange(role: "user")
            do {
                _ = try await Users.change(
                    "user_\(number)", change, at: .now, keepingOneOf: roles,
                    audited: [auditRow("changed", "\(number)")], in: pool)
            } catch is LastAdministrator { refused += 1 }
        }
        #expect(refused == 1)
        #expect(try await audited("changed", in: pool).count == 7)
        let left = try await Users.list(limit: 10, in: pool).filter {
            roles.contains($0.role) && $0.disabledAt == nil
        }
        #expect(left.count == 1)
        // Another role that administers is no loss, and whoever does not administer is none.
        let id = try #require(left.first?.id)
        for (id, change) in [
            (id, UserChange(role: "operator", isDisabled: false)),
            ("user_8", UserChange(isDisabled: true)),
        ] {
            #expect(
                try await Users.change(id, change, at: .now, keepingOneOf: roles, in: pool) != nil)
        }
        await pool.close()
    }
}
