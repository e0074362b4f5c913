import EventLoop
import Foundation
import TestSupport
import Testing

extension Deployment {
    /// Runs `body` while somebody else has locked a table of the gateway's (`LOCK TABLE … IN … MODE`).
    func withLock(
        on table: String, _ mode: String, _ body: @LoopActor () async throws -> Void
    ) async throws {
        let lock = "LOCK TABLE \(table) IN \(mode) MODE"
        let session = Task { @LoopActor in
            _ = try? await sql("BEGIN; \(lock); SELECT pg_sleep(30)")
        }
        let sessions = """
            FROM pg_stat_activity WHERE query LIKE '%; \(lock); %' AND pid <> pg_backend_pid()
            AND datname = current_database()
            """
        func release() async throws {
            try await sql("SELECT pg_cancel_backend(pid) \(sessions)")
            await session.value
        }
        do {
            // Whoever sleeps has it.
            let isLocked = try await waitUntil {
                try await sql("SELECT count(*) \(sessions) AND wait_event = 'PgSleep'") == "1"
            }
            #expect(isLocked)
            try await body()
        } catch {
            try await release()
            throw error
        }
        try await release()
    }

    /// Since when somebody waits for a lock on this table (seconds since 1970); nil if nobody does within five seconds.
    /// The server looks for itself: to start a program for each look takes too long.
    func awaited(_ table: String) async throws -> Double? {
        let waiting =
            "FROM pg_locks WHERE waitstart IS NOT NULL AND relation = '\(table)'::regclass"
        let since = try await sql(
            """
            DO $$ BEGIN
                FOR look IN 1..500 LOOP
                    EXIT WHEN EXISTS (SELECT \(waiting));
                    PERFORM pg_sleep(0.01);
                END LOOP;
            END $$;
            SELECT extract(epoch FROM min(waitstart)) \(waiting)
            """)
        return Double(since)
    }

    /// The caller of this event has left, and the web server has told the gateway so: it logs a request after its end.
    func hasGivenUp(_ event: String) -> Bool {
        let log = (try? Data(contentsOf: URL(filePath: folder + "/nginx-access.log"))) ?? Data()
        return log.firstRange(of: Data(" 499 \(event) ".utf8)) != nil
    }
}
