import EventLoop
import PostgreSQL
import TestSupport

extension Statement {
    static let one = Statement("one", "SELECT 1")
    static let sleep = Statement("sleep", "SELECT pg_sleep($1)::text")
    static let echo = Statement("echo", "SELECT $1::text")
    static let lock = Statement("lock", "SELECT pg_advisory_lock(1)::text")
    static let unlock = Statement("unlock", "SELECT pg_advisory_unlock(1)")
    static let session = Statement("session", "SELECT pg_backend_pid()")
    /// Sessions of this database that wait for a lock.
    static let waiting = Statement(
        "waiting",
        """
        SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE NOT granted AND d.datname = current_database()
        """)
}

/// A pool on a new database of the shared server.
@LoopActor func makePool(size: Int = 4, statementTimeout: Int = 10_000) async throws -> Pool {
    let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
    return Pool(
        conninfo: conninfo, size: size, statementTimeout: statementTimeout, waitTimeout: 5000)
}

/// The error that `body` throws, nil if it throws none or another one.
@LoopActor func databaseError(
    _ body: @LoopActor () async throws -> Void
) async -> DatabaseError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? DatabaseError
    }
}
