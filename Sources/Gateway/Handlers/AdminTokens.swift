internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// `/api/admin/users/{id}/api-tokens`
@LoopActor
enum AdminTokens {
    /// `GET`: all of a user's tokens, revoked ones too. One page: nobody has many.
    static func list(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        _ = try ListQuery(exchange.request, only: [])
        let user = try await AdminUsers.find(exchange, worker)
        let tokens = try await Tokens.list(user: user.id, in: worker.pool)
        return .response(
            .json([
                "object": "list", "data": .array(tokens.map(\.value)), "has_more": false,
            ]))
    }

    /// `POST`: one more token for a user. The reply is the only place where it is ever shown.
    static func mint(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let user = try await AdminUsers.find(exchange, worker)
        let body = try RequestBody(
            exchange.request, members: TokenRequest.members, isOptional: true)
        let request = try TokenRequest(body, lifetime: worker.configuration.tokenLifetime)
        try request.checkModels(worker.models, exchange)
        let (secret, token) = try request.mint(
            for: user.id, pepper: worker.identification.pepper,
            pepperVersion: worker.configuration.pepperVersion)
        try await Tokens.insert(
            token, audited: [exchange.author.row(.tokenMinted(id: token.id, user: user.id))],
            in: worker.pool)
        return .response(token.minted(secret))
    }

    /// `DELETE …/{token}`. Within a second the token is refused everywhere.
    static func revoke(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let user = try await AdminUsers.find(exchange, worker)
        guard let id = exchange.pathValues.last,
            let token = try await Tokens.revoke(
                id, user: user.id, at: .now, audit: exchange.author.revocation, in: worker.pool)
        else { throw APIError.notFound }
        worker.forget(user: user.id)
        return .response(.json(token.value))
    }
}
