package import EventLoop
package import PostgreSQL

/// What is stored of an API token: everything but the token.
package struct APIToken: Sendable, Hashable {
    package var id: String
    package var userID: String
    package var name: String
    /// HMAC-SHA-256 of the token, 32 bytes.
    package var digest: [UInt8]
    /// Which pepper the digest was made with.
    package var pepperVersion: Int
    /// The token's last four characters.
    package var hint: String
    package var scopes: [String]
    /// nil: every model that the user's role allows.
    package var models: [String]?
    package var createdAt: Timestamp
    /// nil: never.
    package var expiresAt: Timestamp?
    /// To the minute.
    package var lastUsedAt: Timestamp?
    package var revokedAt: Timestamp?

    /// A token to store. `id` is made by the caller (`token_…`).
    package init(id: String, userID: String, name: String, digest: [UInt8], createdAt: Timestamp) {
        self.id = id
        self.userID = userID
        self.name = name
        self.digest = digest
        self.createdAt = createdAt
        pepperVersion = 1
        hint = ""
        scopes = []
    }
}

/// A token and whom it speaks for. Whether that is (still) allowed is the caller's judgement: revoked,
/// expired and disabled ones are returned too, so that the refusal can name its reason.
package final class TokenOwner: Sendable {
    package let token: APIToken
    package let user: User

    init(token: APIToken, user: User) {
        self.token = token
        self.user = user
    }
}

/// The table `api_tokens`. Every change tells all workers on the channel `archway_tokens`: the digest
/// in lower-case hexadecimal, or `user:` and the user's id when that user's role or state changed.
@LoopActor package enum Tokens {
    /// The channel of `NotificationListener`.
    package nonisolated static let channel = "archway_tokens"

    /// Stores a new token, and the rows of the audit that tell of it.
    package static func insert(
        _ token: APIToken, audited rows: [AuditRow] = [], in pool: Pool
    ) async throws {
        let values = parameters(token)
        try await pool.transaction { connection in
            _ = try await connection.query(.insertToken, values)
            try await Audit.insert(rows, on: connection)
        }
    }

    /// The token of this digest with its user, nil if there is none.
    package static func find(digest: [UInt8], in pool: Pool) async throws -> TokenOwner? {
        guard let row = try await pool.query(.findToken, [.bytes(digest)]).first else { return nil }
        return TokenOwner(token: try APIToken(row: row), user: try User(row: row, from: 12))
    }

    /// All tokens of a user, revoked ones too, in order of creation.
    package static func list(user: String, in pool: Pool) async throws -> [APIToken] {
        try await pool.query(.listTokens, [.text(user)]).map(APIToken.init(row:))
    }

    /// Has the user a token that is neither revoked nor expired?
    package static func hasAny(
        user: String, at now: Timestamp, in pool: Pool
    ) async throws -> Bool {
        try await !pool.query(.hasToken, [.text(user), .timestamp(now)]).isEmpty
    }

    /// Revokes one token; with `user`, only if it is that user's. Returns it, nil if there is
    /// no such token or it was revoked already.
    package static func revoke(
        _ id: String, user: String? = nil, at now: Timestamp, audit: AuditEntry<APIToken>? = nil,
        in pool: Pool
    ) async throws -> APIToken? {
        try await pool.transaction { connection in
            let row = try await connection.query(
                .revokeToken, [.text(id), .optional(user), .timestamp(now)]
            ).first
            guard let token = try row.map(APIToken.init(row:)) else { return nil }
            if let audit { try await Audit.insert([audit(token)], on: connection) }
            return token
        }
    }

    /// Revokes all of a user's tokens. Returns how many were not revoked before.
    package static func revokeAll(
        user: String, at now: Timestamp, audit: AuditEntry<APIToken>? = nil, in pool: Pool
    ) async throws -> Int {
        try await pool.transaction { connection in
            try await revokeAll(user: user, at: now, audit: audit, on: connection)
        }
    }

    /// Stores `token` and revokes all others of its user, in one transaction: of two at once one
    /// remains. Returns how many were revoked. `audit` tells of each of these, `rows` of the new one.
    package static func replaceAll(
        with token: APIToken, audited rows: [AuditRow] = [], audit: AuditEntry<APIToken>? = nil,
        in pool: Pool
    ) async throws -> Int {
        let values = parameters(token)
        return try await pool.transaction { connection in
            _ = try await connection.query(.lockUser, [.text(token.userID)])
            let count = try await revokeAll(
                user: token.userID, at: token.createdAt, audit: audit, on: connection)
            _ = try await connection.query(.insertToken, values)
            try await Audit.insert(rows, on: connection)
            return count
        }
    }

    private static func revokeAll(
        user: String, at now: Timestamp, audit: AuditEntry<APIToken>?, on connection: Connection
    ) async throws -> Int {
        let tokens = try await connection.query(.revokeTokens, [.text(user), .timestamp(now)])
            .map(APIToken.init(row:))
        if let audit { try await Audit.insert(tokens.map { audit($0) }, on: connection) }
        return tokens.count
    }

    /// Notes the last use, at most once a minute.
    package static func touch(_ id: String, at now: Timestamp, in pool: Pool) async throws {
        _ = try await pool.query(.touchToken, [.text(id), .timestamp(now)])
    }

    private static func parameters(_ token: APIToken) -> [Parameter] {
        [
            .text(token.id), .text(token.userID), .text(token.name), .bytes(token.digest),
            .integer(token.pepperVersion), .text(token.hint), .textArray(token.scopes),
            .optional(token.models), .timestamp(token.createdAt), .optional(token.expiresAt),
        ]
    }
}

extension APIToken {
    /// From the twelve columns of the statements below.
    fileprivate init(row: Row) throws(DatabaseError) {
        id = try row.text(0)
        userID = try row.text(1)
        name = try row.text(2)
        digest = try row.bytes(3)
        pepperVersion = try row.integer(4)
        hint = try row.text(5)
        scopes = try row.textArray(6)
        models = try row.optionalTextArray(7)
        createdAt = try row.timestamp(8)
        expiresAt = try row.optionalTimestamp(9)
        lastUsedAt = try row.optionalTimestamp(10)
        revokedAt = try row.optionalTimestamp(11)
    }
}

extension Statement {
    fileprivate static let insertToken = Statement(
        "insert token",
        """
        INSERT INTO api_tokens (id, user_id, name, digest, pepper_version, hint, scopes, models,
            created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """)

    fileprivate static let findToken = Statement(
        "find token",
        """
        SELECT t.id, t.user_id, t.name, t.digest, t.pepper_version, t.hint, t.scopes, t.models,
            t.created_at, t.expires_at, t.last_used_at, t.revoked_at,
            u.id, u.source, u.name, u.email, u.role, u.disabled_at, u.created_at
        FROM api_tokens t JOIN users u ON u.id = t.user_id
        WHERE t.digest = $1
        """)

    fileprivate static let listTokens = Statement(
        "list tokens",
        """
        SELECT id, user_id, name, digest, pepper_version, hint, scopes, models,
            created_at, expires_at, last_used_at, revoked_at
        FROM api_tokens WHERE user_id = $1 ORDER BY created_at, id
        """)

    fileprivate static let hasToken = Statement(
        "has token",
        """
        SELECT 1 FROM api_tokens
        WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) LIMIT 1
        """)

    fileprivate static let revokeToken = Statement(
        "revoke token",
        """
        UPDATE api_tokens SET revoked_at = $3
        WHERE id = $1 AND ($2::text IS NULL OR user_id = $2) AND revoked_at IS NULL
        RETURNING id, user_id, name, digest, pepper_version, hint, scopes, models,
            created_at, expires_at, last_used_at, revoked_at
        """)

    fileprivate static let revokeTokens = Statement(
        "revoke tokens",
        """
        UPDATE api_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL
        RETURNING id, user_id, name, digest, pepper_version, hint, scopes, models,
            created_at, expires_at, last_used_at, revoked_at
        """)

    fileprivate static let lockUser = Statement(
        "lock user", "SELECT id FROM users WHERE id = $1 FOR UPDATE")

    fileprivate static let touchToken = Statement(
        "touch token",
        """
        UPDATE api_tokens SET last_used_at = $2
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')
        """)
}
