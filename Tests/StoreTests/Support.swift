import EventLoop
import PostgreSQL
import Store
import TestSupport

/// A server's database with the schema, and a pool on it.
@LoopActor func makeStore(size: Int = 8) async throws -> Pool {
    let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
    let pool = Pool(conninfo: conninfo, size: size, statementTimeout: 30_000, waitTimeout: 30_000)
    try await Migrations.apply(at: .now, in: pool)
    return pool
}

/// Runs `body` so many times at once and waits for all of them.
@LoopActor func concurrently(
    _ count: Int, _ body: @escaping @LoopActor @Sendable (Int) async throws -> Void
) async throws {
    var done = 0
    var failure: (any Error)?
    for number in 0..<count {
        spawn {
            do { try await body(number) } catch { failure = error }
            done += 1
        }
    }
    _ = await waitUntil(seconds: 60) { done == count }
    if let failure { throw failure }
}

/// A row of the audit, for a test of what is stored with it.
@LoopActor func auditRow(_ action: String, _ target: String) -> AuditRow {
    AuditRow(
        id: "audit_\(action)_\(target)", at: .now, actor: "host", action: action, target: target)
}

/// The targets of an action in the audit, sorted.
@LoopActor func audited(_ action: String, in pool: Pool) async throws -> [String] {
    try await pool.query(
        Statement("audited", "SELECT target FROM audit WHERE action = $1 ORDER BY 1"),
        [.text(action)]
    ).map { try $0.text(0) }
}

extension User {
    static func make(_ id: String, name: String? = nil, source: Source = .local) -> User {
        User(id: id, source: source, name: name ?? id, role: "user", createdAt: .now)
    }
}

/// Text that breaks out of SQL, of JSON, of arrays and of LIKE patterns, wherever it is spliced in.
let metacharacters = "'; DROP TABLE turns; --\"\\{},%_$1\r\n\t\u{1}é😀"
