internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// `/api/admin/users`. Every change is audited, and holds on all workers at once.
@LoopActor
enum AdminUsers {
    /// `GET /api/admin/users?after=…&limit=…`
    static func list(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let page = try Page(ListQuery(exchange.request))
        let users = try await Users.list(
            after: page.slice.after, limit: page.slice.limit + 1, in: worker.pool)
        return .response(page.response(users.map { ($0.id, $0.value) }))
    }

    /// `POST /api/admin/users`: `name`, and perhaps `email` and `role`.
    static func create(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let body = try RequestBody(exchange.request, members: ["name", "email", "role"])
        guard let name = try body.text("name") else { throw APIError.missingParameter("name") }
        let role = try body.text("role") ?? worker.configuration.defaultRole
        try check(role, worker)
        let email = try body.text("email")
        guard email?.isAddress ?? true else {
            throw APIError.invalidValue(
                "email", "it must be an e-mail address, such as ada@example.org")
        }
        let user = User(
            id: Identifier.make("user"), source: .local, name: name, email: email, role: role,
            createdAt: .now)
        do {
            try await Users.create(
                user, audited: [exchange.author.row(.userCreated(user))], in: worker.pool)
        } catch let error as DatabaseError where error.isUniqueViolation {
            throw APIError.invalidValue("name", "it is taken by another user")
        }
        return .response(.json(user.value, status: .created))
    }

    /// `GET /api/admin/users/{id}`
    static func get(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        .response(.json(try await find(exchange, worker).value))
    }

    /// `PATCH /api/admin/users/{id}`: `role`, `disabled`. Somebody who may administer must remain.
    static func change(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let body = try RequestBody(exchange.request, members: ["role", "disabled"])
        let change = UserChange(
            role: try body.text("role"), isDisabled: try body.boolean("disabled"))
        if let role = change.role { try check(role, worker) }
        let id = try await find(exchange, worker).id
        let administrators = worker.configuration.roles.filter { $0.value.actions.contains(.admin) }
        do {
            let changed = try await Users.change(
                id, change, at: .now, keepingOneOf: Array(administrators.keys),
                audited: AuditEvent.events(of: change, user: id).map { exchange.author.row($0) },
                in: worker.pool)
            guard let changed else { throw APIError.notFound }
            worker.forget(user: id)
            return .response(.json(changed.value))
        } catch is LastAdministrator {
            throw APIError.invalidValue(
                change.isDisabled == true ? "disabled" : "role",
                "the user is the last enabled administrator; make another one first")
        }
    }

    /// The user whom the path names.
    static func find(_ exchange: Exchange, _ worker: Worker) async throws -> User {
        guard let id = exchange.pathValues.first,
            let user = try await Users.find(id: id, in: worker.pool)
        else { throw APIError.notFound }
        return user
    }

    private static func check(_ role: String, _ worker: Worker) throws(APIError) {
        guard worker.configuration.roles[role] == nil else { return }
        let known = worker.configuration.roles.keys.sorted().joined(separator: ", ")
        throw .invalidValue("role", "it must be one of \(known)")
    }
}
