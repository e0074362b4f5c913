import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("What is remembered of tokens")
@LoopActor
struct TokenCacheTests {
    private static let digest = [UInt8](repeating: 7, count: 32)

    /// A store with one token; nothing tells the cache of changes but the test.
    private static func store() async throws -> PostgreSQL.Pool {
        let pool = try await makeStore()
        try await Users.create(
            User(id: "user_1", source: .local, name: "Ann", role: "user", createdAt: .now),
            in: pool)
        try await Tokens.insert(
            APIToken(
                id: "token_1", userID: "user_1", name: "n", digest: digest, createdAt: .now),
            in: pool)
        return pool
    }

    @LoopActor
    private final class Feed {
        var isOn = false
    }

    private static func role(_ cache: TokenCache) async throws -> String? {
        try await cache.owner(of: digest)?.user.role
    }

    @Test("is what was said last, until somebody tells of a change")
    func forgetting() async throws {
        let pool = try await Self.store()
        let cache = TokenCache(pool) { true }
        #expect(try await Self.role(cache) == "user")
        var role = "admin"
        for payload in [String(repeating: "07", count: 32), "user:user_1", ""] {
            let before = try await Self.role(cache)
            _ = try await Users.change("user_1", UserChange(role: role), at: .now, in: pool)
            #expect(try await Self.role(cache) == before)
            cache.forget("user:user_2")
            cache.forget("no digest")
            cache.forget(String(repeating: "08", count: 32))
            #expect(try await Self.role(cache) == before)
            if payload.isEmpty { cache.doubtAll(since: Loop.now) } else { cache.forget(payload) }
            #expect(try await Self.role(cache) == role)
            role = role == "admin" ? "pending" : "admin"
        }
    }

    @Test("tells users apart as the database does, byte by byte")
    func names() async throws {
        let cache = TokenCache(try await Self.store()) { true }
        func user(_ name: String) -> User {
            User(
                id: Identifier.make("user"), source: .webServer, name: name, role: "user",
                createdAt: .now)
        }
        let names = ["j\u{F6}rg", "jo\u{308}rg", "\u{212B}", "\u{C5}", "A\u{30A}"]
        var ids: [String] = []
        for name in names { ids.append(try await cache.external(user(name)).id) }
        #expect(Set(ids).count == names.count)
        for (name, id) in zip(names, ids) {
            #expect(try await cache.external(user(name)).id == id)
        }
    }

    @Test("is never older than a change that was told while the database was asked")
    func race() async throws {
        let pool = try await Self.store()
        for payload in [String(repeating: "07", count: 32), "user:user_1", ""] {
            let cache = TokenCache(pool) { true }
            var asked: String?
            let done = Gate()
            spawn {
                asked = try? await Self.role(cache)
                done.open()
            }
            // The question is under way now, and its answer knows nothing of what follows.
            try await Loop.sleep(milliseconds: 0)
            if payload.isEmpty { cache.doubtAll(since: Loop.now) } else { cache.forget(payload) }
            try await done.pass()
            let next = asked == "admin" ? "user" : "admin"
            _ = try await Users.change("user_1", UserChange(role: next), at: .now, in: pool)
            #expect(try await Self.role(cache) == next)
        }
    }

    @Test("is nothing while nobody tells of changes, and nothing of tokens that do not exist")
    func unfed() async throws {
        let pool = try await Self.store()
        let feed = Feed()
        let cache = TokenCache(pool) { feed.isOn }
        #expect(try await Self.role(cache) == "user")
        _ = try await Users.change("user_1", UserChange(role: "admin"), at: .now, in: pool)
        #expect(try await Self.role(cache) == "admin")
        feed.isOn = true
        let other = [UInt8](repeating: 9, count: 32)
        #expect(try await cache.owner(of: other) == nil)
        try await Tokens.insert(
            APIToken(id: "token_2", userID: "user_1", name: "n", digest: other, createdAt: .now),
            in: pool)
        #expect(try await cache.owner(of: other)?.token.id == "token_2")
    }

    @Test("notes the last use of a token, without being asked twice")
    func lastUse() async throws {
        let pool = try await Self.store()
        let cache = TokenCache(pool) { true }
        for _ in 0..<10 { #expect(try await Self.role(cache) == "user") }
        let isNoted = try await waitUntil {
            try await Tokens.list(user: "user_1", in: pool).first?.lastUsedAt != nil
        }
        #expect(isNoted)
    }

    @Test("knows a user from outside by source and name, stored once")
    func external() async throws {
        let pool = try await Self.store()
        let cache = TokenCache(pool) { true }
        func user(_ source: User.Source) -> User {
            User(
                id: Identifier.make("user"), source: source, name: "Ann", role: "user",
                createdAt: .now)
        }
        let first = try await cache.external(user(.webServer))
        #expect(try await cache.external(user(.webServer)).id == first.id)
        #expect(try await cache.external(user(.frontEnd)).id != first.id)
        cache.doubtAll(since: Loop.now)
        #expect(try await cache.external(user(.webServer)).id == first.id)
        _ = try await Users.change(first.id, UserChange(isDisabled: true), at: .now, in: pool)
        cache.forget("user:\(first.id)")
        #expect(try await cache.external(user(.webServer)).disabledAt != nil)
    }
}

@Suite("The ledger of usage")
@LoopActor
struct UsageLedgerTests {
    private static func row(_ number: Int) -> UsageRow {
        UsageRow(
            id: "usage_\(number)", createdAt: .now, requestID: "r\(number)",
            route: "POST /v1/chat/completions")
    }

    @Test("stores every row before it says so, however many come at once")
    func many() async throws {
        let pool = try await makeStore()
        try await Usage.prepareMonths(at: .now, in: pool)
        let ledger = UsageLedger(makeSpool(pool)) { 1 }
        let count = Statement("count usage", "SELECT count(*) FROM usage WHERE id = ANY ($1)")
        var done: [Int] = []
        for number in 0..<200 {
            spawn {
                await ledger.add(Self.row(number))
                let found = try? await pool.query(count, [.textArray(["usage_\(number)"])])
                if let row = found?.first, (try? row.integer(0)) == 1 { done.append(number) }
            }
        }
        let areStored = await waitUntil(seconds: 30) { done.count == 200 }
        #expect(areStored)
        let all = try await pool.query(
            count, [.textArray((0..<200).map { "usage_\($0)" })])
        #expect(try all.first?.integer(0) == 200)
    }

    @Test("lets a row wait for those of other requests, but not for ever")
    func company() async throws {
        let pool = try await makeStore()
        try await Usage.prepareMonths(at: .now, in: pool)
        // A hundred run, and none of the others ends.
        let ledger = UsageLedger(makeSpool(pool)) { 100 }
        for number in 0..<3 { await ledger.add(Self.row(number)) }
        let count = Statement("count all usage", "SELECT count(*) FROM usage")
        #expect(try await pool.query(count, []).first?.integer(0) == 3)
    }

    @Test("lets a request end although its row cannot be stored")
    func lost() async {
        let ledger = UsageLedger(makeSpool(makeDeadPool())) { 1 }
        var done = 0
        for number in 0..<3 {
            spawn {
                await ledger.add(Self.row(number))
                done += 1
            }
        }
        #expect(await waitUntil { done == 3 })
    }
}
