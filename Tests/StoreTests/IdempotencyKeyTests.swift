import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Idempotency keys")
@LoopActor
struct IdempotencyKeyTests {
    private let now = Timestamp(seconds: 1_800_000_000)
    private let reply = KeptReply(
        status: 200, fields: ["content-type", metacharacters, "a", ""], body: Array(0...255))

    private func makeUsers() async throws -> Pool {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        try await Users.create(.make("user_2"), in: pool)
        return pool
    }

    private func claim(
        _ id: String, owner: String = "user_1", token: String = "", key: String = "k",
        asking: UInt8 = 1, worker: String = "w"
    ) -> Claim {
        Claim(
            id: id, ownerID: owner, tokenID: token, key: key, fingerprint: [asking],
            worker: worker)
    }

    private func take(_ claim: Claim, after seconds: Int = 0, in pool: Pool) async throws
        -> Claiming
    {
        let time = now.adding(seconds: seconds)
        return try await IdempotencyKeys.take(
            claim, now: time, until: time.adding(seconds: 100), in: pool)
    }

    private func finish(_ claim: Claim, _ reply: KeptReply?, in pool: Pool) async throws {
        try await IdempotencyKeys.finish(
            claim, status: 200, reply: reply, until: now.adding(seconds: 1000), in: pool)
    }

    @Test("are granted once, also when many want them at the same moment")
    func race() async throws {
        let pool = try await makeUsers()
        var outcomes: [Claiming] = []
        try await concurrently(32) { number in
            outcomes.append(try await take(claim("c\(number)"), in: pool))
        }
        #expect(outcomes.filter { $0 == .granted }.count == 1)
        #expect(outcomes.filter { $0 == .running }.count == 31)
        await pool.close()
    }

    @Test("give the same reply again, byte for byte, and nothing to whoever asks something else")
    func answered() async throws {
        let pool = try await makeUsers()
        #expect(try await take(claim("c1"), in: pool) == .granted)
        #expect(try await take(claim("c2", asking: 2), in: pool) == .taken)
        // Only the request that has the key may end it.
        try await finish(claim("c2"), reply, in: pool)
        #expect(try await take(claim("c2"), in: pool) == .running)
        for _ in 0..<2 { try await finish(claim("c1"), reply, in: pool) }
        try await finish(claim("c1"), nil, in: pool)
        try await IdempotencyKeys.release(claim("c1"), in: pool)
        #expect(try await take(claim("c3"), in: pool) == .answered(reply))
        #expect(try await take(claim("c3", asking: 2), in: pool) == .taken)
        await pool.close()
    }

    @Test("say when the reply is not kept")
    func forgotten() async throws {
        let pool = try await makeUsers()
        #expect(try await take(claim("c1"), in: pool) == .granted)
        try await finish(claim("c1"), nil, in: pool)
        #expect(try await take(claim("c2"), in: pool) == .forgotten)
        await pool.close()
    }

    @Test("are each owner's and each token's own, and go with the owner")
    func owners() async throws {
        let pool = try await makeUsers()
        let claims = [
            claim("c1"), claim("c2", token: "t"), claim("c3", owner: "user_2"),
            claim("c4", owner: "user_2", token: "t"), claim("c5", key: metacharacters),
        ]
        for claim in claims { #expect(try await take(claim, in: pool) == .granted) }
        _ = try await pool.query(Statement("test delete", "DELETE FROM users WHERE id = 'user_1'"))
        let rows = try await pool.query(
            Statement("test owners", "SELECT DISTINCT owner_id FROM idempotency_keys"))
        #expect(try rows.map { try $0.text(0) } == ["user_2"])
        await pool.close()
    }

    @Test("are free again after a release, the end of their worker, and the end of their time")
    func freed() async throws {
        let pool = try await makeUsers()
        #expect(try await take(claim("c1"), in: pool) == .granted)
        try await IdempotencyKeys.release(claim("c2"), in: pool)
        #expect(try await take(claim("c2"), in: pool) == .running)
        try await IdempotencyKeys.release(claim("c1"), in: pool)
        #expect(try await take(claim("c2", asking: 2, worker: "dead"), in: pool) == .granted)
        #expect(try await IdempotencyKeys.abandon(worker: "w", in: pool) == 0)
        #expect(try await IdempotencyKeys.abandon(worker: "dead", in: pool) == 1)
        #expect(try await take(claim("c3"), in: pool) == .granted)
        try await IdempotencyKeys.renew(
            ["c3"], of: "w", until: now.adding(seconds: 200), in: pool)
        #expect(try await take(claim("c4"), after: 199, in: pool) == .running)
        #expect(try await take(claim("c4", asking: 3), after: 200, in: pool) == .granted)
        // The one before has lost it.
        try await finish(claim("c3"), reply, in: pool)
        #expect(try await take(claim("c5", asking: 3), after: 201, in: pool) == .running)
        try await finish(claim("c4"), reply, in: pool)
        #expect(try await IdempotencyKeys.abandon(worker: "w", in: pool) == 0)
        #expect(try await take(claim("c5"), after: 1000, in: pool) == .granted)
        #expect(try await take(claim("c6"), after: 1001, in: pool) == .running)
        await pool.close()
    }

    @Test("are deleted in small portions once their time is over")
    func sweep() async throws {
        let pool = try await makeUsers()
        for number in 0..<5 {
            _ = try await take(claim("c\(number)", key: "k\(number)"), after: number, in: pool)
        }
        let time = now.adding(seconds: 103)
        #expect(try await IdempotencyKeys.sweep(at: time, limit: 3, in: pool) == 3)
        #expect(try await IdempotencyKeys.sweep(at: time, limit: 3, in: pool) == 1)
        #expect(try await IdempotencyKeys.sweep(at: time, limit: 3, in: pool) == 0)
        #expect(try await take(claim("c9", key: "k4"), in: pool) == .running)
        await pool.close()
    }
}
