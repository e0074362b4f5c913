internal import Store

/// Who a request comes from, and what that permits. Made once and shared: it goes through the whole corridor.
final class Identity: Sendable {
    /// The scope that lets a token say who the human is. Never part of `*`.
    static let assertUser = "assert_user"

    /// Nil only for anonymous.
    let user: User?
    let roleName: String
    let role: Configuration.Role
    /// The API token that signed in, if one did.
    let tokenID: String?
    /// What the token may do of what its user's role permits; nil without a token. `*` is everything but `assert_user`.
    let scopes: [String]?
    /// Models that the token may use; nil for all of the role's.
    let tokenModels: [String]?

    init(
        user: User? = nil, roleName: String, role: Configuration.Role, tokenID: String? = nil,
        scopes: [String]? = nil, tokenModels: [String]? = nil
    ) {
        self.user = user
        self.roleName = roleName
        self.role = role
        self.tokenID = tokenID
        self.scopes = scopes
        self.tokenModels = tokenModels
    }

    /// Nobody but the web server vouches for who it is.
    var isSignedInByWebServer: Bool { tokenID == nil && user != nil }

    /// The same, signed in by this token.
    func limited(by token: APIToken) -> Identity {
        Identity(
            user: user, roleName: roleName, role: role, tokenID: token.id, scopes: token.scopes,
            tokenModels: token.models)
    }

    /// The token may say who the human is.
    var mayAssertUser: Bool { scopes?.contains(Self.assertUser) == true }

    /// The human whom this token's owner speaks for, with the token's limits.
    func asserting(_ human: Identity) -> Identity {
        Identity(
            user: human.user, roleName: human.roleName, role: human.role, tokenID: tokenID,
            scopes: scopes, tokenModels: tokenModels)
    }

    /// The user might, but this token may not.
    func isLimitedByToken(_ access: Access) -> Bool {
        Identity(roleName: roleName, role: role).permits(access) && !permits(access)
    }

    func permits(_ access: Access) -> Bool {
        switch access {
        case .open: true
        case .identity: !role.actions.isEmpty
        case .action(let action):
            role.actions.contains(action)
                && (scopes.map { $0.contains("*") || $0.contains(action.rawValue) } ?? true)
        }
    }

    func permits(model: String) -> Bool {
        role.models.contains(model) && (tokenModels?.contains(model) ?? true)
    }
}
