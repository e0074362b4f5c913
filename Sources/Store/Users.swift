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

/// What shall become other of a user; nil stays as it is.
package struct UserChange: Sendable {
    package var role: String?
    package var isDisabled: Bool?

    package init(role: String? = nil, isDisabled: Bool? = nil) {
        self.role = role
        self.isDisabled = isDisabled
    }
}

/// After the change nobody could administer any more.
package struct LastAdministrator: Error {}

/// The table `users`.
@LoopActor package enum Users {
    /// Stores a new user, and the rows of the audit that tell of it. `DatabaseError.isUniqueViolation`: the name is
    /// taken in this source.
    package static func create(
        _ user: User, audited rows: [AuditRow] = [], in pool: Pool
    ) async throws {
        let values = parameters(user)
        try await pool.transaction { connection in
            _ = try await connection.query(.createUser, values)
            try await Audit.insert(rows, on: connection)
        }
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
    /// e-mail address that is given replaces the stored one; the stored role stays. Atomic. `audit` tells of a user
    /// who was not there.
    package static func upsertExternal(
        _ user: User, audit: AuditEntry<User>? = nil, in pool: Pool
    ) async throws -> User {
        // The first statement alone would write a row version for each request.
        if let known = try await find(name: user.name, source: user.source, in: pool),
            user.email == nil || user.email == known.email
        {
            return known
        }
        let values = parameters(user)
        return try await pool.transaction { connection in
            guard let row = try await connection.query(.upsertUser, values).first else {
                return user
            }
            let stored = try User(row: row)
            // Under another id somebody has stored the user before.
            if let audit, stored.id == user.id {
                try await Audit.insert([audit(stored)], on: connection)
            }
            return stored
        }
    }

    /// Users in order of creation, those after the user `after`. Throws `UnknownCursor`.
    package static func list(
        after: String? = nil, limit: Int, in pool: Pool
    ) async throws -> [User] {
        let cursor = try await Cursor.parameters(of: after, .userTime, in: pool)
        return try await pool.query(.listUsers, cursor + [.integer(limit)]).map(User.init(row:))
    }

    /// Makes a change, and stores the rows of the audit that tell of it. Returns the user as it is then; nil: no such
    /// user. All workers forget what they knew of the user. Who is disabled may do nothing; the first time stays.
    ///
    /// Throws `LastAdministrator` when it would take the last user who is enabled out of `roles`.
    package static func change(
        _ id: String, _ change: UserChange, at now: Timestamp, keepingOneOf roles: [String] = [],
        audited rows: [AuditRow] = [], in pool: Pool
    ) async throws -> User? {
        try await pool.transaction { connection in
            if change.isDisabled == true || change.role.map({ !roles.contains($0) }) == true {
                // Locked: two who change each other at once do so one after the other.
                let able = try await connection.query(.lockUsersOfRoles, [.textArray(roles)])
                if able.count == 1, try able[0].text(0) == id { throw LastAdministrator() }
            }
            let row = try await connection.query(
                .changeUser,
                [
                    .text(id), .optional(change.role),
                    change.isDisabled.map { .boolean($0) } ?? .null, .timestamp(now),
                ]
            ).first
            guard let user = try row.map(User.init(row:)) else { return nil }
            try await Audit.insert(rows, on: connection)
            return user
        }
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

    fileprivate static let lockUsersOfRoles = Statement(
        "lock users of roles",
        """
        SELECT id FROM users WHERE role = ANY ($1::text[]) AND disabled_at IS NULL
        ORDER BY id FOR UPDATE
        """)

    fileprivate static let changeUser = Statement(
        "change user",
        """
        UPDATE users SET role = coalesce($2, role), disabled_at = CASE $3::boolean
            WHEN true THEN coalesce(disabled_at, $4) WHEN false THEN NULL ELSE disabled_at END
        WHERE id = $1 RETURNING id, source, name, email, role, disabled_at, created_at
        """)
}
