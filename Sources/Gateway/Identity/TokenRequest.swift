internal import Crypto
internal import EventLoop
internal import OpenAI
internal import PostgreSQL
internal import Store

/// What a new API token shall be.
struct TokenRequest: Sendable {
    var name = "API token"
    /// What of its user's role it may do; `*` for all.
    var scopes = ["*"]
    /// Nil for every model of the role.
    var models: [String]?
    /// Days of validity; nil for ever.
    var days: Int?

    /// What a token may be allowed.
    static let knownScopes = ["*", Identity.assertUser] + Action.allCases.map(\.rawValue)

    /// What the body of a request for one may have.
    static let members: Set<String> = ["name", "scopes", "models", "expires_in_days"]

    /// A token of the default lifetime, in days.
    init(lifetime: Int) {
        days = lifetime
    }

    /// Reads `name`, `scopes`, `models` and `expires_in_days`, of which `null` means never.
    init(_ body: RequestBody, lifetime: Int) throws(APIError) {
        name = try body.text("name") ?? name
        if let given = try body.texts("scopes") {
            guard !given.isEmpty else {
                throw .invalidValue("scopes", "it must have at least one scope")
            }
            for (index, scope) in given.enumerated() where !Self.knownScopes.contains(scope) {
                let known = Self.knownScopes.joined(separator: ", ")
                throw .invalidValue("scopes[\(index)]", "it must be one of \(known)")
            }
            scopes = given
        }
        models = try body.texts("models")
        let given = try body.integer("expires_in_days", 1...36_500)
        days = body.has("expires_in_days") ? given : lifetime
    }

    /// Refuses a model that there is not, and warns of one that cannot be known now: the token would be good for
    /// nothing.
    @LoopActor
    func checkModels(_ table: ModelTable, _ exchange: Exchange) throws(APIError) {
        for (index, model) in (models ?? []).enumerated() {
            switch table.knows(model) {
            case true: continue
            case false:
                throw .invalidValue(
                    "models[\(index)]",
                    "there is no such model; GET /v1/models lists those there are")
            case nil: exchange.warn("models[\(index)]: no such model is known now")
            }
        }
    }

    /// Makes the token's secret and its row.
    @LoopActor
    func mint(
        for user: String, pepper: HMAC.Key, pepperVersion: Int
    ) throws -> (secret: String, token: APIToken) {
        let secret = try TokenFormat.mint()
        let now = Timestamp.now
        var token = APIToken(
            id: Identifier.make("token"), userID: user, name: name,
            digest: TokenFormat.digest(secret, pepper: pepper), createdAt: now)
        token.pepperVersion = pepperVersion
        token.hint = String(secret.suffix(4))
        token.scopes = scopes
        token.models = models
        token.expiresAt = days.map { now.adding(seconds: $0 * 86_400) }
        return (secret, token)
    }

    /// Takes away, or refuses, what the token that asks for this one may not do itself. To speak for others is never
    /// passed on: an administrator gives it, or nobody.
    mutating func narrow(to identity: Identity) throws(APIError) {
        guard !scopes.contains(Identity.assertUser) else {
            throw .permissionDenied(Identity.assertUser)
        }
        if let held = identity.scopes, !held.contains("*") {
            if scopes.contains("*") { scopes = held.filter { $0 != Identity.assertUser } }
            for scope in scopes where !held.contains(scope) { throw .scopeMissing(scope) }
        }
        guard let allowed = identity.tokenModels else { return }
        guard let wanted = models else {
            models = allowed
            return
        }
        for model in wanted where !allowed.contains(model) { throw .modelNotAllowed(model) }
    }
}
