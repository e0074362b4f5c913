package import EventLoop
package import PostgreSQL

/// The schema, as numbered steps that are only ever appended.
@LoopActor package enum Migrations {
    /// One step: a file of `Sources/Store/Migrations`.
    struct Migration: Sendable {
        let version: Int
        let name: String
        let sql: [UInt8]
    }

    /// In order. A new file gets a new line.
    nonisolated static let all: [Migration] = [
        Migration(version: 1, name: "users", sql: PackageResources.v0001_users_sql),
        Migration(version: 2, name: "conversations", sql: PackageResources.v0002_conversations_sql),
        Migration(version: 3, name: "knowledge", sql: PackageResources.v0003_knowledge_sql),
        Migration(
            version: 4, name: "usage_and_audit", sql: PackageResources.v0004_usage_and_audit_sql),
        Migration(
            version: 5, name: "stored_completions",
            sql: PackageResources.v0005_stored_completions_sql),
        Migration(
            version: 6, name: "idempotency_keys", sql: PackageResources.v0006_idempotency_keys_sql),
        Migration(
            version: 7, name: "passage_openings", sql: PackageResources.v0007_passage_openings_sql),
    ]

    /// How the database's schema stands to this program's.
    package enum State: Sendable, Hashable {
        case current
        /// The database lacks steps: `archway migrate`.
        case behind
        /// The database was migrated by a newer program.
        case ahead
    }

    /// Brings the schema up to date and renews the rights of the role `archway_worker`, if it exists.
    ///
    /// Each step is a transaction of its own under an advisory lock: of two at once one does the work
    /// and the other finds it done; what was interrupted is taken up at the next run. The pool's
    /// statement timeout is also the time for one step and for the wait behind another one. A
    /// database that is ahead is left alone.
    ///
    /// - Returns: the number of steps applied.
    @discardableResult
    package static func apply(at now: Timestamp, in pool: Pool) async throws -> Int {
        try await locked(pool) { _ = try await $0.query(.createMigrations) }
        var applied = 0
        for migration in all where try await apply(migration, at: now, in: pool) { applied += 1 }
        guard try await check(pool) == .current else { return applied }
        try await locked(pool) {
            try await $0.runScript(String(decoding: PackageResources.grants_sql, as: UTF8.self))
        }
        try await Usage.prepareMonths(at: now, in: pool)
        return applied
    }

    /// Compares the schema with this program's.
    package static func check(_ pool: Pool) async throws -> State {
        guard try await pool.query(.hasMigrations).first?.boolean(0) == true else { return .behind }
        let row = try await pool.query(.lastMigration).first
        let last = try row?.integer(0) ?? 0
        let known = all.last?.version ?? 0
        return last == known ? .current : last < known ? .behind : .ahead
    }

    private static func apply(
        _ migration: Migration, at now: Timestamp, in pool: Pool
    ) async throws -> Bool {
        try await locked(pool) { connection in
            guard
                try await connection.query(.findMigration, [.integer(migration.version)]).isEmpty
            else { return false }
            try await connection.runScript(String(decoding: migration.sql, as: UTF8.self))
            _ = try await connection.query(
                .insertMigration,
                [.integer(migration.version), .text(migration.name), .timestamp(now)])
            return true
        }
    }

    private static func locked<T: Sendable>(
        _ pool: Pool, _ body: @LoopActor (Connection) async throws -> T
    ) async throws -> T {
        try await pool.transaction { connection in
            _ = try await connection.query(.lockMigrations)
            return try await body(connection)
        }
    }
}

extension Statement {
    // The number is "archway" in ASCII.
    fileprivate static let lockMigrations = Statement(
        "lock migrations", "SELECT pg_advisory_xact_lock(27428984930951545)")

    fileprivate static let createMigrations = Statement(
        "create migrations",
        """
        CREATE TABLE IF NOT EXISTS migrations (
            version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)
        """)

    fileprivate static let hasMigrations = Statement(
        "has migrations", "SELECT to_regclass('migrations') IS NOT NULL")

    fileprivate static let lastMigration = Statement(
        "last migration", "SELECT coalesce(max(version), 0) FROM migrations")

    fileprivate static let findMigration = Statement(
        "find migration", "SELECT 1 FROM migrations WHERE version = $1")

    fileprivate static let insertMigration = Statement(
        "insert migration",
        "INSERT INTO migrations (version, name, applied_at) VALUES ($1, $2, $3)")
}
