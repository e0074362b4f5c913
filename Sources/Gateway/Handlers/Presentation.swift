internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// Users as the API shows them.
extension User {
    var value: Value {
        [
            "id": .string(id), "object": "user", "name": .string(name),
            "source": .string(source.rawValue),
            "email": email.map { .string($0) } ?? .null, "role": .string(role),
            "disabled": .boolean(disabledAt != nil), "created_at": .integer(createdAt.seconds),
        ]
    }
}

/// Tokens as the API shows them: never the token itself, nor its digest.
extension APIToken {
    var value: Value {
        func time(_ time: Timestamp?) -> Value { time.map { .integer($0.seconds) } ?? .null }
        return [
            "id": .string(id), "object": "api_token", "name": .string(name),
            "hint": .string(hint), "scopes": .array(scopes.map { .string($0) }),
            "models": models.map { .array($0.map { .string($0) }) } ?? .null,
            "created_at": time(createdAt), "expires_at": time(expiresAt),
            "last_used_at": time(lastUsedAt), "revoked_at": time(revokedAt),
        ]
    }

    /// With the secret: shown once, in the reply that minted it.
    func minted(_ secret: String) -> HTTP.Response {
        guard case .object(let members) = value else { return .json(value) }
        let all = Value.object([Member("token", .string(secret))] + members)
        // No copy is to be made of it, on the way or here.
        return .json(all.encoded(), status: .created, fields: ["cache-control": "no-store"])
    }
}
