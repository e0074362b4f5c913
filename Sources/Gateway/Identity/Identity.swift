internal import Store

/// Who a request comes from, and what that permits.
struct Identity: Sendable {
    /// The scope that lets a token say who the human is. Never part of `*`.
    static let assertUser = "assert_user"

    /// Nil only for anonymous.
    var user: User?
    /// The API token that signed in, if one did.
    var tokenID: String?
    /// What the token may do of what its user's role permits; nil without a token. `*` is everything but `assert_user`.
    var scopes: [String]?
    /// Models that the token may use; nil for all of the role's.
    var tokenModels: [String]?
    var roleName: String
    var role: Configuration.Role

    /// Nobody but the web server vouches for who it is.
    var isSignedInByWebServer: Bool { tokenID == nil && user != nil }

    /// The same, signed in by this token.
    func limited(by token: APIToken) -> Identity {
        var identity = self
        identity.tokenID = token.id
        identity.scopes = token.scopes
        identity.tokenModels = token.models
        return identity
    }

    /// The user might, but this token may not.
    func isLimitedByToken(_ access: Access) -> Bool {
        var user = self
        user.scopes = nil
        return user.permits(access) && !permits(access)
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
