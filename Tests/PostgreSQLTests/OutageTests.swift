import EventLoop
import PostgreSQL
import TestSupport
import Testing

@Suite("An outage of the server", .serialized)
@LoopActor
struct OutageTests {
    @Test("is told at once, and heals within five seconds without help")
    func heals() async throws {
        let server = try TemporaryPostgreSQL()
        let conninfo = try server.makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 4, statementTimeout: 5000)
        #expect(try await pool.query(.one).count == 1)
        #expect(pool.isHealthy)

        try server.stop()
        #expect(await waitUntil { !pool.isHealthy })
        for _ in 0..<20 {
            let started = Loop.now
            let error = await databaseError { _ = try await pool.query(.one) }
            #expect(error?.kind == .unavailable)
            #expect(error?.isOutcomeUnknown == false)
            #expect(Loop.now - started < 100)
        }

        try server.start()
        let started = Loop.now
        #expect(await waitUntil { pool.isHealthy })
        #expect(Loop.now - started < 5000)
        #expect(try await pool.query(.one).count == 1)
        await pool.close()
        try server.stop()
    }

    @Test("in the middle of a statement leaves its outcome open")
    func duringStatement() async throws {
        let server = try TemporaryPostgreSQL()
        let conninfo = try server.makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 1, statementTimeout: 60_000)
        var error: DatabaseError?
        let task = spawn {
            error = await databaseError { _ = try await pool.query(.sleep, [.number(30)]) }
        }
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
        #expect(try await waitUntil { try server.sql(running, database: "postgres") == "1" })
        try server.stop()
        await task.value
        #expect(error?.kind == .unavailable)
        #expect(error?.isOutcomeUnknown == true)
        await pool.close()
    }

    @Test("between two statements goes unnoticed when the server is back")
    func betweenStatements() async throws {
        let pool = try makePool(size: 1)
        let session = try #require(try await pool.query(.session).first?.integer(0))
        let server = try TemporaryPostgreSQL.shared.get()
        // The loop stands still meanwhile, so the pool cannot have seen the end of its session.
        try server.sql("SELECT pg_terminate_backend(\(session), 5000)", database: "postgres")
        let other = try await pool.query(.session).first?.integer(0)
        #expect(other != nil && other != session)
        await pool.close()
    }

    @Test("of a role without rights or a full server is an outage too")
    func full() async throws {
        let server = try TemporaryPostgreSQL()
        let conninfo = try server.makeDatabase()
        try server.stop()
        try server.start(maximumConnections: 8)
        let first = Pool(conninfo: conninfo, size: 8, statementTimeout: 5000)
        var done = 0
        for _ in 0..<8 {
            spawn {
                _ = try? await first.query(.sleep, [.number(0.3)])
                done += 1
            }
        }
        #expect(await waitUntil { first.counts.open >= 7 })
        let second = Pool(conninfo: conninfo, size: 4, statementTimeout: 5000)
        var error: DatabaseError?
        for _ in 0..<8 where error == nil {
            error = await databaseError {
                try await second.withConnection { _ in
                    _ = try await second.query(.one)
                }
            }
        }
        #expect(error?.kind == .unavailable)
        #expect(await waitUntil { done == 8 })
        await first.close()
        #expect(await waitUntil { (try? await second.query(.one)) != nil })
        await second.close()
        try server.stop()
    }
}
