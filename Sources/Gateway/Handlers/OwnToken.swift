internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// `/api/users/me/api-token`: the one token that a signed-in user has for himself.
@LoopActor
enum OwnToken {
    /// `GET`: whether there is one.
    static func get(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let user = try exchange.signedInUser
        let has = try await Tokens.hasAny(user: user.id, at: .now, in: worker.pool)
        return .response(.json(["has_token": .boolean(has)]))
    }

    /// `POST`: mints a token, which replaces all others of this user. Its scopes are at most those of the token that
    /// asks.
    static func mint(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        let user = try exchange.signedInUser
        let body = try RequestBody(
            exchange.request, members: TokenRequest.members, isOptional: true)
        var request = try TokenRequest(body, lifetime: worker.configuration.tokenLifetime)
        try request.narrow(to: identity)
        try request.checkModels(worker.models, exchange)
        let (secret, token) = try request.mint(
            for: user.id, pepper: worker.identification.pepper,
            pepperVersion: worker.configuration.pepperVersion)
        let author = exchange.author
        _ = try await Tokens.replaceAll(
            with: token, audited: [author.row(.tokenMinted(id: token.id, user: user.id))],
            audit: author.revocation, in: worker.pool)
        worker.forget(user: user.id)
        return .response(token.minted(secret))
    }

    /// `DELETE`: revokes what there is.
    static func revoke(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let user = try exchange.signedInUser
        let count = try await Tokens.revokeAll(
            user: user.id, at: .now, audit: exchange.author.revocation, in: worker.pool)
        worker.forget(user: user.id)
        return .response(.json(["success": true, "revoked": .boolean(count > 0)]))
    }
}
