internal import Crypto
internal import EventLoop
internal import HTTP
internal import OpenAI
internal import PostgreSQL
internal import Store

/// Station 4: finds out who a request comes from. All forms of a token take one path, and a wrong token never becomes
/// anonymous.
@LoopActor
struct Identification {
    /// Characters of the longest name that somebody may vouch for.
    private static let longestName = 200

    let pepper: HMAC.Key
    let cache: TokenCache
    let roles: [String: Configuration.Role]
    let defaultRole: String
    let permitsAnonymous: Bool

    /// What a request says of who it is from.
    enum Claim {
        /// The digest of a well-formed token, and the human whom its owner says to speak for.
        case token([UInt8], human: Human?)
        case webServerUser(String)
        case nobody
    }

    /// Somebody whom a front end has signed in.
    struct Human {
        var name: String
        var email: String?

        /// Refuses what a front end says if it cannot be stored, or would pass for another name or for several.
        func check() throws(APIError) {
            // The address stands for a name that is not given.
            for (field, text) in [(emailField, email ?? ""), (idField, name)]
            where text.isMistakable {
                throw .invalidValue(
                    field, "it must be percent-encoded UTF-8 without control characters")
            }
        }
    }

    nonisolated private static let idField = "X-OpenWebUI-User-Id"
    nonisolated private static let emailField = "X-OpenWebUI-User-Email"

    /// Throws an `APIError` for a token that cannot be one.
    func claim(of request: HTTP.Request) throws(APIError) -> Claim {
        if let token = try Self.token(of: request) {
            guard TokenFormat.accepts(token) else { throw .invalidAPIKey }
            return .token(
                TokenFormat.digest(token, pepper: pepper), human: Self.assertedUser(request))
        }
        return request.remoteUser.map(Claim.webServerUser) ?? .nobody
    }

    /// Throws an `APIError` when the claim does not hold, `DatabaseError` when that cannot be known now.
    func identify(_ claim: Claim, requestID: String) async throws -> Identity {
        switch claim {
        case .token(let digest, let human):
            let owner = try await cache.owner(of: digest)
            let identity = try identity(of: owner)
            guard let human, identity.mayAssertUser else { return identity }
            try human.check()
            return identity.asserting(
                try await external(.frontEnd, human, by: identity.user, requestID))
        case .webServerUser(let name):
            return try await external(.webServer, Human(name: name), by: nil, requestID)
        case .nobody:
            guard permitsAnonymous else { throw APIError.missingAPIKey }
            return identity(nil, role: defaultRole)
        }
    }

    /// With the role of this name; a role that the configuration no longer knows may do nothing.
    private func identity(_ user: User?, role: String) -> Identity {
        Identity(
            user: user, roleName: role,
            role: roles[role] ?? Configuration.Role(actions: [], models: .only([])))
    }

    /// The owner of a token, if it holds. Apart, as what it copies would lie in the task's memory to the request's end.
    @inline(never)
    private func identity(of owner: TokenOwner?) throws(APIError) -> Identity {
        guard let owner, owner.token.revokedAt == nil, owner.user.disabledAt == nil else {
            throw .invalidAPIKey
        }
        if let expiry = owner.token.expiresAt, expiry <= .now { throw .expiredAPIKey }
        return identity(owner.user, role: owner.user.role).limited(by: owner.token)
    }

    /// Somebody whom `speaker`, the owner of a token, or the web server signs in.
    @inline(never)
    private func external(
        _ source: User.Source, _ human: Human, by speaker: User?, _ requestID: String
    ) async throws -> Identity {
        // Cut short, two long names could become one user.
        guard human.name.unicodeScalars.count <= Self.longestName else {
            throw APIError.permissionDenied(
                because:
                    "A user's name has at most \(Self.longestName) characters; use a shorter one.")
        }
        guard !human.name.isMistakable else {
            throw APIError.permissionDenied(
                because: "A user's name is UTF-8 without control characters; use another one.")
        }
        let user = try await cache.external(
            User(
                id: Identifier.make("user"), source: source, name: human.name, email: human.email,
                role: defaultRole, createdAt: .now)
        ) { Author(id: speaker?.id ?? $0.id, requestID: requestID).row(.userCreated($0)) }
        guard user.disabledAt == nil else {
            throw APIError.permissionDenied(
                because: "Your account is disabled; ask an administrator to enable it.")
        }
        return identity(user, role: user.role)
    }

    /// The token that a request carries, in any of its three forms. Another scheme than Bearer counts only where the
    /// web server did not sign somebody in by it.
    private static func token(of request: HTTP.Request) throws(APIError) -> String? {
        var found: [String] = []
        for field in request.fields.values("authorization") {
            let space = field.utf8.firstIndex(of: UInt8(ascii: " ")) ?? field.endIndex
            if field[..<space].lowercased() == "bearer" {
                found.append(String(field[space...].trimmingSpaces))
            } else if request.remoteUser == nil {
                throw .invalidAPIKey
            }
        }
        for name in ["x-api-key", "api-key"] {
            if let key = request.fields[name] { found.append(String(key[...].trimmingSpaces)) }
        }
        guard let first = found.first else { return nil }
        guard found.allSatisfy({ $0 == first }) else { throw .conflictingAPIKeys }
        return first
    }

    /// The human whom a front end says to speak for. What cannot be decoded becomes what `check` refuses: passed over,
    /// it would let the front end's own user speak in place of the human.
    private static func assertedUser(_ request: HTTP.Request) -> Human? {
        func value(_ field: String) -> String? {
            request.fields[field].map { PercentEncoding.decode($0) ?? "\u{FFFD}" }
        }
        let email = value(emailField)
        guard let name = value(idField) ?? email, !name.isEmpty else { return nil }
        return Human(name: name, email: email)
    }
}

extension Substring {
    /// Without spaces at either end.
    var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
