internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store

/// `archway user …`
enum UserCommands {
    static func create(_ arguments: Arguments) throws -> Int32 {
        let configuration = try Setup.configuration(arguments)
        let name = try arguments.word("name")
        let role = arguments["role"] ?? configuration.defaultRole
        guard configuration.roles[role] != nil else {
            throw Arguments.Mistake(description: "there is no role \(role)")
        }
        let email = arguments["email"]
        for (what, text) in [("the name", name), ("--email", email)] {
            if let fault = text?.fault() {
                throw Arguments.Mistake(description: "\(what) cannot be used: \(fault)")
            }
        }
        guard email?.isAddress ?? true else {
            throw Arguments.Mistake(
                description: "--email takes an address, such as ada@example.org")
        }
        let user = try Setup.withDatabase(configuration) { pool in
            try await create(name, email: email, role: role, in: pool)
        }
        CommandLineReport.say(
            arguments.has("json") ? String(decoding: user.value.encoded(), as: UTF8.self) : user.id)
        return 0
    }

    static func list(_ arguments: Arguments) throws -> Int32 {
        let users = try Setup.withDatabase(try Setup.configuration(arguments)) { pool in
            var users: [User] = []
            while true {
                let page = try await Users.list(after: users.last?.id, limit: 100, in: pool)
                users += page
                if page.count < 100 { return users }
            }
        }
        for user in users {
            CommandLineReport.say(
                arguments.has("json")
                    ? String(decoding: user.value.encoded(), as: UTF8.self)
                    : "\(user.id)  \(user.role)  \(user.source.rawValue)  \(user.name)"
                        + (user.disabledAt == nil ? "" : "  (disabled)"))
        }
        return 0
    }

    static func enable(_ arguments: Arguments) throws -> Int32 {
        try change(arguments, UserChange(isDisabled: false), "Enabled")
    }

    static func disable(_ arguments: Arguments) throws -> Int32 {
        try change(arguments, UserChange(isDisabled: true), "Disabled")
    }

    private static func change(
        _ arguments: Arguments, _ change: UserChange, _ done: String
    ) throws -> Int32 {
        let name = try arguments.word("user")
        let user = try Setup.withDatabase(try Setup.configuration(arguments)) { pool in
            let user = try await find(name, in: pool)
            try await self.change(user, change, in: pool)
            return user
        }
        CommandLineReport.say("\(done) \(user.id).")
        return 0
    }

    /// The user of this id, or the only one of this name.
    @LoopActor
    static func find(_ name: String, in pool: PostgreSQL.Pool) async throws -> User {
        if let user = try await Users.find(id: name, in: pool) { return user }
        var found: [User] = []
        for source in User.Source.allCases {
            if let user = try await Users.find(name: name, source: source, in: pool) {
                found.append(user)
            }
        }
        guard let user = found.first else {
            throw CommandFailure(description: "there is no user \(name)")
        }
        guard found.count == 1 else {
            let ids = found.map { "\($0.id) (\($0.source.rawValue))" }.joined(separator: ", ")
            throw CommandFailure(
                description: "several users are called \(name): \(ids); name one by the id")
        }
        return user
    }

    /// Stores a local user, audited as done on the host.
    @LoopActor
    static func create(
        _ name: String, email: String?, role: String, in pool: PostgreSQL.Pool
    ) async throws -> User {
        let user = User(
            id: Identifier.make("user"), source: .local, name: name, email: email, role: role,
            createdAt: .now)
        do {
            try await Users.create(
                user, audited: [Author.host.row(.userCreated(user))], in: pool)
        } catch let error as DatabaseError where error.isUniqueViolation {
            throw CommandFailure(description: "there is a user \(name) already")
        }
        return user
    }

    /// Changes a user, audited as done on the host.
    @LoopActor
    static func change(
        _ user: User, _ change: UserChange, in pool: PostgreSQL.Pool
    ) async throws {
        let events = AuditEvent.events(of: change, user: user.id)
        _ = try await Users.change(
            user.id, change, at: .now, audited: events.map(Author.host.row), in: pool)
    }
}
