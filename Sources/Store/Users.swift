package import EventLoop
package import PostgreSQL

/// Somebody who may sign in.
package struct User: Sendable, Hashable {
    /// Who vouches for the name; the same name from two sources is two users.
    package enum Source: String, Sendable, CaseIterable {
        case local
        case webServer = "web_server"
        case frontEnd = "front_end"
    }

    package var id: String
    package var source: Source
    package var name: String
    package var email: String?
    package var role: String
    package var disabledAt: Timestamp?
    package var createdAt: Timestamp

    /// All of a row. `id` is made by the caller (`user_…`).
    package init(
        id: String, source: Source, name: String, email: String? = nil, role: String,
        createdAt: Timestamp
    ) {
        self.id = id
        self.source = source
        self.name = name
        self.email = email
        self.role = role
        self.createdAt = createdAt
    }
}

/// The table `users`.
@LoopActor package enum Users {
    /// Stores a new user. `DatabaseError.isUniqueViolation`: the name is taken in this source.
    package static func create(_ user: User, in pool: Pool) async throws {
        _ = try await pool.query(.createUser, parameters(user))
    }

    /// The user of this id, nil if there is none.
    package static func find(id: String, in pool: Pool) async throws -> User? {
        try await pool.query(.findUser, [.text(id)]).first.map(User.init(row:))
    }

    /// The user of this name in this source, nil if there is none.
    package static func find(
        name: String, source: User.Source, in pool: Pool
    ) async throws -> User? {
        try await pool.query(.findUserByName, [.text(source.rawValue), .text(name)])
            .first.map(User.init(row:))
    }

    /// The stored user of `user.source` and `user.name`; if there is none, `user` is stored. An
    /// e-mail address that is given replaces the stored one; the stored role stays. Atomic.
    package static func upsertExternal(_ user: User, in pool: Pool) async throws -> User {
        // The first statement alone would write a row version for each request.
        if let known = try await find(name: user.name, source: user.source, in: pool),
            user.email == nil || user.email == known.email
        {
            return known
        }
        guard let row = try await pool.query(.upsertUser, parameters(user)).first else {
            return user
        }
        return try User(row: row)
    }

    /// Users in order of creation, those after the user `after`. Throws `UnknownCursor`.
    package static func list(
        after: String? = nil, limit: Int, in pool: Pool
    ) async throws -> [User] {
        let cursor = try await Cursor.parameters(of: after, .userTime, in: pool)
        return try await pool.query(.listUsers, cursor + [.integer(limit)]).map(User.init(row:))
    }

    /// False: no such user. All workers forget what they knew of the user.
    package static func changeRole(
        of id: String, to role: String, in pool: Pool
    ) async throws -> Bool {
        try await !pool.query(.changeRole, [.text(id), .text(role)]).isEmpty
    }

    /// From now on the user may do nothing. False: no such user. Idempotent; the first time stays.
    package static func disable(_ id: String, at now: Timestamp, in pool: Pool) async throws -> Bool
    {
        try await !pool.query(.disableUser, [.text(id), .timestamp(now)]).isEmpty
    }

    /// Takes `disable` back. False: no such user.
    package static func enable(_ id: String, in pool: Pool) async throws -> Bool {
        try await !pool.query(.enableUser, [.text(id)]).isEmpty
    }

    private static func parameters(_ user: User) -> [Parameter] {
        [
            .text(user.id), .text(user.source.rawValue), .text(user.name), .optional(user.email),
            .text(user.role), .timestamp(user.createdAt),
        ]
    }
}

extension User {
    init(row: Row) throws(DatabaseError) {
        try self.init(row: row, from: 0)
    }

    /// From the columns `id, source, name, email, role, disabled_at, created_at`, the first at `first`.
    init(row: Row, from first: Int) throws(DatabaseError) {
        id = try row.text(first)
        source = Source(rawValue: try row.text(first + 1)) ?? .local
        name = try row.text(first + 2)
        email = try row.optionalText(first + 3)
        role = try row.text(first + 4)
        disabledAt = try row.optionalTimestamp(first + 5)
        createdAt = try row.timestamp(first + 6)
    }
}

extension Statement {
    fileprivate static let createUser = Statement(
        "create user",
        """
        INSERT INTO users (id, source, name, email, role, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """)

    fileprivate static let findUser = Statement(
        "find user",
        """
        SELECT id, source, name, email, role, disabled_at, created_at FROM users WHERE id = $1
        """)

    fileprivate static let findUserByName = Statement(
        "find user by name",
        """
        SELECT id, source, name, email, role, disabled_at, created_at
        FROM users WHERE source = $1 AND name = $2
        """)

    fileprivate static let upsertUser = Statement(
        "upsert user",
        """
        INSERT INTO users (id, source, name, email, role, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (source, name) DO UPDATE SET email = coalesce(EXCLUDED.email, users.email)
        RETURNING id, source, name, email, role, disabled_at, created_at
        """)

    fileprivate static let listUsers = Statement(
        "list users",
        """
        SELECT id, source, name, email, role, disabled_at, created_at FROM users
        WHERE (created_at, id) > (coalesce($1::timestamptz, '-infinity'), coalesce($2, ''))
        ORDER BY created_at, id LIMIT $3
        """)

    fileprivate static let userTime = Statement(
        "user time", "SELECT created_at FROM users WHERE id = $1")

    fileprivate static let changeRole = Statement(
        "change role", "UPDATE users SET role = $2 WHERE id = $1 RETURNING id")

    fileprivate static let disableUser = Statement(
        "disable user",
        "UPDATE users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1 RETURNING id")

    fileprivate static let enableUser = Statement(
        "enable user", "UPDATE users SET disabled_at = NULL WHERE id = $1 RETURNING id")
}
