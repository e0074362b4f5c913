package import EventLoop
package import PostgreSQL

/// One thing that somebody did or was refused.
package struct AuditRow: Sendable, Hashable {
    /// Made by the caller (`audit_…`); the same id and time again is the same row.
    package var id: String
    package var at: Timestamp
    /// A user's id, or `host` for the command line, or `anonymous`.
    package var actor: String
    /// `token.minted`, `permission.refused`, …
    package var action: String
    package var target: String?
    package var requestID: String?
    /// A JSON object, UTF-8. Never content, never a token.
    package var details: [UInt8]

    /// All of it.
    package init(
        id: String, at: Timestamp, actor: String, action: String, target: String? = nil,
        requestID: String? = nil
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.action = action
        self.target = target
        self.requestID = requestID
        details = Array("{}".utf8)
    }
}

/// Makes the row that tells what has become of something.
package typealias AuditEntry<Subject> = @LoopActor @Sendable (Subject) -> AuditRow

/// The table `audit`: rows come, and never change.
@LoopActor package enum Audit {
    /// Stores all rows in one statement. Rows that are stored already stay as they are.
    package static func insert(_ rows: [AuditRow], in pool: Pool) async throws {
        guard !rows.isEmpty else { return }
        _ = try await pool.query(.insertAudit, parameters(rows))
    }

    /// The same within the transaction of the change that the rows tell of: neither is without the other.
    static func insert(_ rows: [AuditRow], on connection: Connection) async throws {
        guard !rows.isEmpty else { return }
        _ = try await connection.query(.insertAudit, parameters(rows))
    }

    private static func parameters(_ rows: [AuditRow]) -> [Parameter] {
        [
            .textArray(rows.map(\.id)), .timestampArray(rows.map(\.at)),
            .textArray(rows.map(\.actor)), .textArray(rows.map(\.action)),
            .textArray(rows.map(\.target)), .textArray(rows.map(\.requestID)),
            .utf8Array(rows.map { $0.details[...] }),
        ]
    }
}

extension Statement {
    fileprivate static let insertAudit = Statement(
        "insert audit",
        """
        INSERT INTO audit (id, at, actor, action, target, request_id, details)
        SELECT a.id, a.at, a.actor, a.action, a.target, a.request_id, a.details::json
        FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::text[]) AS a (id, at, actor, action, target, request_id, details)
        ON CONFLICT DO NOTHING
        """)
}
