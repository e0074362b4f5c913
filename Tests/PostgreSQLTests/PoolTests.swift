import EventLoop
import PostgreSQL
import TestSupport
import Testing

@Suite("A pool")
@LoopActor
struct PoolTests {
    @Test("serves a thousand callers with four sessions")
    func shares() async throws {
        let pool = try await makePool(size: 4)
        var sessions: Set<Int> = []
        var answers = 0
        for _ in 0..<1000 {
            spawn {
                if let session = try? await pool.query(.session).first?.integer(0) {
                    sessions.insert(session)
                }
                answers += 1
            }
        }
        #expect(await waitUntil { answers == 1000 })
        #expect((1...4).contains(sessions.count))
        #expect(pool.counts.open <= 4 && pool.counts.waiting == 0)
        await pool.close()
    }

    @Test("serves callers in the order in which they came")
    func fair() async throws {
        let pool = try await makePool(size: 1)
        var order: [Int] = []
        for number in 0..<50 {
            spawn {
                _ = try? await pool.query(.one)
                order.append(number)
            }
        }
        #expect(await waitUntil { order.count == 50 })
        #expect(order == Array(0..<50))
        await pool.close()
    }

    @Test("refuses a caller who waited too long, and serves the next one")
    func boundedWait() async throws {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let holder = Pool(conninfo: conninfo, size: 1, statementTimeout: 60_000)
        _ = try await holder.query(.lock)
        let pool = Pool(conninfo: conninfo, size: 1, statementTimeout: 60_000, waitTimeout: 200)
        _ = try await pool.query(.one)
        var isDone = false
        spawn {
            _ = try? await pool.query(.lock)
            isDone = true
        }
        #expect(await waitUntil { pool.counts.idle == 0 })
        let error = await databaseError { _ = try await pool.query(.one) }
        #expect(error?.kind == .unavailable)
        #expect(!isDone)
        _ = try await holder.query(.unlock)
        #expect(await waitUntil { isDone })
        #expect(try await pool.query(.one).count == 1)
        await pool.close()
        await holder.close()
    }

    @Test("ends a statement that takes too long as unavailable and keeps the session")
    func statementTimeout() async throws {
        let pool = try await makePool(size: 1, statementTimeout: 200)
        let session = try await pool.query(.session).first?.integer(0)
        let error = await databaseError { _ = try await pool.query(.sleep, [.number(30)]) }
        #expect(error?.kind == .unavailable)
        #expect(error?.sqlstate == "57014")
        #expect(try await pool.query(.session).first?.integer(0) == session)
        await pool.close()
    }

    @Test("lets a cancelled caller go at once and settles the session behind it")
    func cancelled() async throws {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let holder = Pool(conninfo: conninfo, size: 1, statementTimeout: 60_000)
        _ = try await holder.query(.lock)
        let pool = Pool(conninfo: conninfo, size: 1, statementTimeout: 60_000, waitTimeout: 30_000)
        let session = try await pool.query(.session).first?.integer(0)
        var end: (any Error)?
        let task = spawn {
            do { _ = try await pool.query(.lock) } catch { end = error }
        }
        let isWaiting = try await waitUntil {
            try await holder.query(.waiting).first?.integer(0) == 1
        }
        #expect(isWaiting)
        task.cancel()
        await task.value
        #expect(end is CancellationError)
        #expect(pool.counts.idle == 0 && pool.counts.open == 1)
        _ = try await holder.query(.unlock)
        #expect(try await pool.query(.session).first?.integer(0) == session)
        await pool.close()
        await holder.close()
    }

    @Test("rolls back the transaction of a cancelled caller")
    func cancelledTransaction() async throws {
        let pool = try await makePool(size: 1)
        _ = try await pool.query(Statement("make", "CREATE TABLE t (n bigint)"))
        let insert = Statement("insert", "INSERT INTO t VALUES (1)")
        var isInside = false
        let task = spawn {
            try? await pool.transaction { connection in
                _ = try await connection.query(insert)
                isInside = true
                _ = try await connection.query(.sleep, [.number(0.5)])
            }
        }
        #expect(await waitUntil { isInside })
        task.cancel()
        await task.value
        let rows = try await pool.query(Statement("count", "SELECT count(*) FROM t"))
        #expect(try rows.first?.integer(0) == 0)
        await pool.close()
    }

    @Test("commits what returns, rolls back what throws")
    func transactions() async throws {
        struct Refusal: Error {}
        let pool = try await makePool(size: 2)
        _ = try await pool.query(Statement("make", "CREATE TABLE t (n bigint)"))
        let insert = Statement("insert", "INSERT INTO t VALUES ($1)")
        try await pool.transaction { _ = try await $0.query(insert, [.integer(1)]) }
        await #expect(throws: Refusal.self) {
            try await pool.transaction {
                _ = try await $0.query(insert, [.integer(2)])
                throw Refusal()
            }
        }
        let sum = Statement("sum", "SELECT sum(n)::bigint FROM t")
        #expect(try await pool.query(sum).first?.integer(0) == 1)
        await pool.close()
    }

    @Test("repeats a transaction that lost against another one")
    func conflicts() async throws {
        let pool = try await makePool(size: 8)
        _ = try await pool.query(Statement("make", "CREATE TABLE t AS SELECT 0::bigint AS n"))
        let serializable = Statement("level", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        let read = Statement("read", "SELECT n FROM t")
        let write = Statement("write", "UPDATE t SET n = $1")
        var done = 0
        var succeeded = 0
        for _ in 0..<8 {
            spawn {
                do {
                    try await pool.transaction { connection in
                        _ = try await connection.query(serializable)
                        let value = try await connection.query(read).first?.integer(0) ?? 0
                        _ = try await connection.query(write, [.integer(value + 1)])
                    }
                    succeeded += 1
                } catch {}
                done += 1
            }
        }
        #expect(await waitUntil { done == 8 })
        #expect(succeeded > 1)
        #expect(try await pool.query(read).first?.integer(0) == succeeded)
        await pool.close()
    }

    @Test("refuses a host name that was not resolved before the loop ran")
    func hostName() async throws {
        let pool = Pool(
            conninfo: "host=database.invalid user=x", size: 1, statementTimeout: 1000,
            waitTimeout: 60_000)
        let error = try #require(await databaseError { _ = try await pool.query(.one) })
        #expect(error.kind == .unavailable)
        #expect(error.debugDescription.contains("hostaddr"))
        await pool.close()
    }

    @Test(
        "never shows a password", arguments: ["password=canary nonsense", "password=canary host=/"])
    func password(conninfo: String) async throws {
        let pool = Pool(conninfo: conninfo, size: 1, statementTimeout: 1000)
        let error = try #require(await databaseError { _ = try await pool.query(.one) })
        #expect(!error.debugDescription.contains("canary"))
        await pool.close()
    }
}
