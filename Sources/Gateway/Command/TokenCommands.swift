internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store

/// `archway token …`
enum TokenCommands {
    /// Prints the token alone on standard output.
    static func create(_ arguments: Arguments) throws -> Int32 {
        let configuration = try Setup.configuration(arguments)
        let isAdmin = arguments.has("admin")
        let name = arguments["user"] ?? (isAdmin ? "admin" : nil)
        guard let name else { throw Arguments.Mistake(description: "--user is missing") }
        let request = try request(arguments, configuration)
        let (secret, token) = try Setup.withDatabase(configuration) { pool in
            let user = try await owner(name, isAdmin: isAdmin, in: pool)
            let (secret, token) = try request.mint(
                for: user.id, pepper: configuration.pepperKey,
                pepperVersion: configuration.pepperVersion)
            try await Tokens.insert(
                token, audited: [Author.host.row(.tokenMinted(id: token.id, user: user.id))],
                in: pool)
            return (secret, token)
        }
        guard arguments.has("json"), case .object(let members) = token.value else {
            CommandLineReport.say(secret)
            return 0
        }
        let value = Value.object([Member("token", .string(secret))] + members)
        CommandLineReport.say(String(decoding: value.encoded(), as: UTF8.self))
        return 0
    }

    static func list(_ arguments: Arguments) throws -> Int32 {
        let name = try arguments.require("user")
        let tokens = try Setup.withDatabase(try Setup.configuration(arguments)) { pool in
            try await Tokens.list(user: try await UserCommands.find(name, in: pool).id, in: pool)
        }
        for token in tokens {
            let state =
                token.revokedAt != nil
                ? "revoked" : token.expiresAt.map { $0 <= .now } ?? false ? "expired" : "valid"
            CommandLineReport.say(
                arguments.has("json")
                    ? String(decoding: token.value.encoded(), as: UTF8.self)
                    : "\(token.id)  \(state)  …\(token.hint)  \(token.name)")
        }
        return 0
    }

    static func revoke(_ arguments: Arguments) throws -> Int32 {
        let configuration = try Setup.configuration(arguments)
        let word = try arguments.word("token or token id")
        let token = try Setup.withDatabase(configuration) { pool in
            var id = word
            if TokenFormat.accepts(word) {
                let digest = TokenFormat.digest(
                    word, pepper: configuration.pepperKey)
                id = try await Tokens.find(digest: digest, in: pool)?.token.id ?? ""
            }
            let token = try await Tokens.revoke(
                id, at: .now, audit: Author.host.revocation, in: pool)
            guard let token else {
                throw CommandFailure(description: "there is no such valid token")
            }
            return token
        }
        CommandLineReport.say("Revoked \(token.id).")
        return 0
    }

    private static func request(
        _ arguments: Arguments, _ configuration: Configuration
    ) throws(Arguments.Mistake) -> TokenRequest {
        var request = TokenRequest(lifetime: configuration.tokenLifetime)
        request.name = arguments["name"] ?? request.name
        if let fault = request.name.fault() {
            throw Arguments.Mistake(description: "--name cannot be used: \(fault)")
        }
        if let scopes = arguments["scopes"] {
            request.scopes = scopes.split(separator: ",").map(String.init)
            guard !request.scopes.isEmpty else {
                throw Arguments.Mistake(description: "--scopes needs at least one scope")
            }
            for scope in request.scopes where !TokenRequest.knownScopes.contains(scope) {
                throw Arguments.Mistake(description: "there is no scope \(scope)")
            }
        }
        if let days = arguments["days"] {
            request.days = Int(days)
            guard days == "never" || (1...36_500).contains(request.days ?? 0) else {
                throw Arguments.Mistake(description: "--days takes 1 to 36500, or never")
            }
        }
        return request
    }

    /// The user of this name, who must be enabled. With `isAdmin` it is the local one, made, or made an admin, if need
    /// be.
    @LoopActor
    private static func owner(
        _ name: String, isAdmin: Bool, in pool: PostgreSQL.Pool
    ) async throws -> User {
        let known =
            isAdmin
            ? try await Users.find(name: name, source: .local, in: pool)
            : try await UserCommands.find(name, in: pool)
        guard let user = known else {
            return try await UserCommands.create(name, email: nil, role: "admin", in: pool)
        }
        guard user.disabledAt == nil else {
            throw CommandFailure(
                description: "the user \(name) is disabled, and every token of the user refused; "
                    + "enable the user first: archway user enable \(user.id)")
        }
        if isAdmin, user.role != "admin" {
            try await UserCommands.change(user, UserChange(role: "admin"), in: pool)
        }
        return user
    }
}
