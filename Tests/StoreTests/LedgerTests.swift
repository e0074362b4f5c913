import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("The ledger")
@LoopActor
struct LedgerTests {
    @Test("takes many rows in one statement, each once")
    func insert() async throws {
        let pool = try await makeStore()
        let now = Timestamp.now
        let rows = (0..<500).map { number in
            var row = UsageRow(
                id: "usage_\(number)", createdAt: now, requestID: metacharacters, route: "chat")
            row.model = metacharacters
            row.userID = number % 2 == 0 ? "user_1" : nil
            row.promptTokens = number
            row.totalTokens = number
            row.kind = .side
            row.source = .provider
            row.ended = .incomplete
            row.firstEventMilliseconds = number % 3 == 0 ? nil : 7
            return row
        }
        try await Usage.insert(rows, in: pool)
        try await Usage.insert(rows, in: pool)
        try await Usage.insert([], in: pool)
        let sums = Statement(
            "sums",
            """
            SELECT count(*), sum(total_tokens)::bigint, count(user_id), count(first_event_ms),
                bool_and(request_id = $1 AND model = $1 AND kind = 'side' AND status = 200)
            FROM usage
            """)
        let row = try #require(try await pool.query(sums, [.text(metacharacters)]).first)
        #expect(try row.integer(0) == 500)
        #expect(try row.integer(1) == 499 * 250)
        #expect(try row.integer(2) == 250)
        #expect(try row.integer(3) == 333)
        #expect(try row.boolean(4))
        await pool.close()
    }

    @Test("has a partition for each month, and keeps what came before its partition")
    func months() async throws {
        let pool = try await makeStore()
        // 15 January 2030, in no partition yet
        let far = Timestamp(seconds: 1_894_665_600)
        let row = UsageRow(id: "usage_1", createdAt: far, requestID: "request_1", route: "chat")
        try await Usage.insert([row], in: pool)
        try await Audit.insert(
            [AuditRow(id: "audit_1", at: far, actor: "host", action: "test")], in: pool)
        let place = Statement(
            "place",
            """
            SELECT tableoid::regclass::text FROM usage
            UNION ALL SELECT tableoid::regclass::text FROM audit ORDER BY 1
            """)
        var places = try await pool.query(place).map { try $0.text(0) }
        #expect(places == ["audit_default", "usage_default"])
        try await concurrently(4) { _ in
            try await Usage.prepareMonths(at: far, ahead: 1, in: pool)
        }
        places = try await pool.query(place).map { try $0.text(0) }
        #expect(places == ["audit_2030_01", "usage_2030_01"])

        let drop = Statement("drop", "SELECT archway_drop_months('usage', $1)")
        let before = try await pool.query(drop, [.timestamp(far.adding(seconds: 86_400))])
        #expect(try before.first?.integer(0) == 3)  // this month and two more, long over by then
        let after = try await pool.query(drop, [.timestamp(far.adding(seconds: 30 * 86_400))])
        #expect(try after.first?.integer(0) == 1)
        places = try await pool.query(place).map { try $0.text(0) }
        #expect(places == ["audit_2030_01"])
        await pool.close()
    }
}
