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

    let pepper: [UInt8]
    let cache: TokenCache
    let roles: [String: Configuration.Role]
    let defaultRole: String
    let permitsAnonymous: Bool

    /// Throws an `APIError` when nobody can be made out, `DatabaseError` when that cannot be known now.
    func identify(_ request: HTTP.Request) async throws -> Identity {
        if let token = try Self.token(of: request) { return try await identify(token, request) }
        if let name = request.remoteUser {
            return try await external(.webServer, name: name, email: nil)
        }
        guard permitsAnonymous else { throw APIError.missingAPIKey }
        return identity(nil, role: defaultRole)
    }

    /// With the role of this name; a role that the configuration no longer knows may do nothing.
    private func identity(_ user: User?, role: String) -> Identity {
        Identity(
            user: user, roleName: role,
            role: roles[role] ?? Configuration.Role(actions: [], models: .only([])))
    }

    private func identify(_ token: String, _ request: HTTP.Request) async throws -> Identity {
        guard TokenFormat.accepts(token),
            let owner = try await cache.owner(of: TokenFormat.digest(token, pepper: pepper)),
            owner.token.revokedAt == nil, owner.user.disabledAt == nil
        else { throw APIError.invalidAPIKey }
        if let expiry = owner.token.expiresAt, expiry <= .now { throw APIError.expiredAPIKey }
        let scopes = owner.token.scopes
        if scopes.contains(Identity.assertUser), let human = Self.assertedUser(request) {
            return try await external(.frontEnd, name: human.name, email: human.email)
                .limited(by: owner.token)
        }
        return identity(owner.user, role: owner.user.role).limited(by: owner.token)
    }

    private func external(
        _ source: User.Source, name: String, email: String?
    ) async throws -> Identity {
        // Cut short, two long names could become one user.
        guard name.count <= Self.longestName else {
            throw APIError.permissionDenied("sign in with a name of that length")
        }
        let user = try await cache.external(
            User(
                id: Identifier.make("user"), source: source, name: name, email: email,
                role: defaultRole, createdAt: .now))
        guard user.disabledAt == nil else { throw APIError.permissionDenied("sign in") }
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

    private static func assertedUser(
        _ request: HTTP.Request
    ) -> (name: String, email: String?)? {
        func value(_ field: String) -> String? {
            request.fields[field].flatMap { PercentEncoding.decode($0) }
        }
        let email = value("x-openwebui-user-email")
        guard let name = value("x-openwebui-user-id") ?? email, !name.isEmpty else { return nil }
        return (name, email)
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
