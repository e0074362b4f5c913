import EventLoop
import PostgreSQL
import TestSupport
import Testing

@testable import Store

@Suite("The migrations")
@LoopActor
struct MigrationTests {
    @Test(
        "C9: lead from nothing to the current schema, once, also when run from many sides at once")
    func apply() async throws {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 6, statementTimeout: 30_000, waitTimeout: 30_000)
        #expect(try await Migrations.check(pool) == .behind)
        var applied = 0
        try await concurrently(6) { _ in applied += try await Migrations.apply(at: .now, in: pool) }
        #expect(applied == Migrations.all.count)
        #expect(try await Migrations.check(pool) == .current)
        #expect(try await Migrations.apply(at: .now, in: pool) == 0)

        let insert = Statement("newer", "INSERT INTO migrations VALUES (999, 'newer', now())")
        _ = try await pool.query(insert)
        #expect(try await Migrations.check(pool) == .ahead)
        #expect(try await Migrations.apply(at: .now, in: pool) == 0)
        await pool.close()
    }

    @Test("C9: can be taken up again where one was killed half-way")
    func interrupted() async throws {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 6, statementTimeout: 30_000, waitTimeout: 30_000)
        let others = Pool(conninfo: conninfo, size: 1, statementTimeout: 30_000)
        let kill = Statement(
            "kill sessions",
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        var failures = 0
        for round in 0..<20 {
            let migration = Task { @LoopActor in try await Migrations.apply(at: .now, in: pool) }
            try await Loop.sleep(milliseconds: round)
            _ = try await others.query(kill)
            do { _ = try await migration.value } catch is DatabaseError { failures += 1 }
        }
        #expect(failures > 0)
        // As the next start of the command does: a connection of the last one may be dying still.
        let next = Pool(conninfo: conninfo, size: 2, statementTimeout: 30_000)
        _ = try await Migrations.apply(at: .now, in: next)
        #expect(try await Migrations.check(next) == .current)
        for pool in [pool, others, next] { await pool.close() }
    }

    @Test("are numbered without a gap")
    func numbers() {
        #expect(Migrations.all.map(\.version) == Array(1...Migrations.all.count))
    }

    @Test("give the worker's role what it needs, and only insertion into the audit")
    func grants() async throws {
        let server = try await TemporaryPostgreSQL.make()
        try await server.sql("CREATE ROLE archway_worker LOGIN", database: "postgres")
        let conninfo = try await server.makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 2, statementTimeout: 30_000)
        try await Migrations.apply(at: .now, in: pool)
        await pool.close()

        let words = conninfo.replacing("user=archway", with: "user=archway_worker")
        let worker = Pool(conninfo: words, size: 2, statementTimeout: 30_000)
        #expect(try await Migrations.check(worker) == .current)
        try await Users.create(.make("user_1"), in: worker)
        let row = AuditRow(id: "audit_1", at: .now, actor: "host", action: "user.created")
        try await Audit.insert([row, row], in: worker)
        try await Usage.prepareMonths(at: .now, ahead: 4, in: worker)
        for text: StaticString in [
            "SELECT * FROM audit", "DELETE FROM audit", "UPDATE audit SET actor = ''",
            "TRUNCATE audit", "DROP TABLE usage", "DELETE FROM usage",
        ] {
            await #expect(throws: DatabaseError.self) {
                _ = try await worker.query(Statement(text, text))
            }
        }
        #expect(try await !StoredCompletions.delete("none", owner: "user_1", in: worker))
        let search = try await Knowledge.search(["none"], for: "anything", limit: 3, in: worker)
        #expect(search.isEmpty)
        await worker.close()
        #expect(try await server.sql("SELECT count(*) FROM audit", database: "test_1") == "1")
        await #expect(throws: TemporaryPostgreSQL.Failure.self) {
            try await server.sql("DELETE FROM audit", database: "test_1")
        }
        try await server.stop()
    }
}
