import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("Names of requests beside the requests")
@LoopActor
struct IdempotencyTests {
    private let reply = KeptReply(status: 200, fields: [], body: [1])

    /// A worker's names of requests, and the pool that they are in.
    private func make() async throws -> (Idempotency, PostgreSQL.Pool) {
        let pool = try await makeStore()
        let user = User(id: "user_1", source: .local, name: "a", role: "user", createdAt: .now)
        try await Users.create(user, in: pool)
        let idempotency = Idempotency(
            pool, Log(process: "test"), instanceID: "w", lifetime: 1000)
        return (idempotency, pool)
    }

    private func claim(_ key: String, _ id: String) -> Claim {
        Claim(
            id: id, ownerID: "user_1", tokenID: "", key: key, fingerprint: [1], worker: "w")
    }

    /// Seconds until rows mean nothing, by key.
    private func rest(of key: String, in pool: PostgreSQL.Pool) async throws -> Int? {
        try await pool.query(
            Statement(
                "test rest",
                """
                SELECT extract(epoch FROM expires_at - now())::bigint FROM idempotency_keys
                WHERE key = $1
                """), [.text(key)]
        ).first?.integer(0)
    }

    private func run(_ name: StaticString, _ sql: StaticString, in pool: PostgreSQL.Pool)
        async throws
    {
        _ = try await pool.query(Statement(name, sql))
    }

    @Test("stay as long as their requests run, and not longer")
    func renewal() async throws {
        let (idempotency, pool) = try await make()
        let (running, ended) = (claim("running", "c1"), claim("ended", "c2"))
        for claim in [running, ended] {
            #expect(try await idempotency.take(claim) == .granted)
        }
        await idempotency.settle(ended, .answered(reply))
        try await run(
            "test soon", "UPDATE idempotency_keys SET expires_at = now() + '9s'", in: pool)
        await idempotency.goRound()
        #expect(try await rest(of: "running", in: pool) ?? 0 > 60)
        #expect(try await rest(of: "ended", in: pool) ?? 0 <= 9)
        await idempotency.settle(running, .nothing)
        #expect(try await rest(of: "running", in: pool) == nil)
        await pool.close()
    }

    @Test("are not given away after a reply that the database did not hear of, but after a failure")
    func outage() async throws {
        let (idempotency, pool) = try await make()
        let claims = [claim("answered", "c1"), claim("failed", "c2")]
        for claim in claims { #expect(try await idempotency.take(claim) == .granted) }
        try await run("test away", "ALTER TABLE idempotency_keys RENAME TO elsewhere", in: pool)
        await idempotency.settle(claims[0], .answered(reply))
        await idempotency.settle(claims[1], .nothing)
        await idempotency.goRound()
        try await run("test back", "ALTER TABLE elsewhere RENAME TO idempotency_keys", in: pool)
        #expect(try await idempotency.take(claim("answered", "c3")) == .running)
        try await run(
            "test soon", "UPDATE idempotency_keys SET expires_at = now() + '9s'", in: pool)
        await idempotency.goRound()
        #expect(try await idempotency.take(claim("answered", "c4")) == .forgotten)
        #expect(try await rest(of: "answered", in: pool) ?? 0 > 900)
        #expect(try await rest(of: "failed", in: pool) ?? 0 <= 9)
        await pool.close()
    }

    @Test("are deleted once they mean nothing")
    func sweep() async throws {
        let (idempotency, pool) = try await make()
        let old = claim("old", "c1")
        #expect(try await idempotency.take(old) == .granted)
        await idempotency.settle(old, .answered(reply))
        try await run("test now", "UPDATE idempotency_keys SET expires_at = now()", in: pool)
        await idempotency.goRound()
        #expect(try await rest(of: "old", in: pool) == nil)
        await pool.close()
    }
}
