internal import EventLoop
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// What the audit knows of. Details are ids and words of ours: never content, never a token.
enum AuditEvent: Sendable {
    /// An action, or a model, that the caller may not use.
    case refused(String)
    case tokenMinted(id: String, user: String)
    case tokenRevoked(id: String, user: String)
    case userCreated(id: String)
    case roleChanged(user: String, role: String)
    case userDisabled(id: String)
    case userEnabled(id: String)

    var row: (action: String, target: String?, details: Value) {
        switch self {
        case .refused(let action): ("permission.refused", nil, ["action": .string(action)])
        case .tokenMinted(let id, let user): ("token.minted", id, ["user": .string(user)])
        case .tokenRevoked(let id, let user): ("token.revoked", id, ["user": .string(user)])
        case .userCreated(let id): ("user.created", id, [:])
        case .roleChanged(let user, let role): ("user.role_changed", user, ["role": .string(role)])
        case .userDisabled(let id): ("user.disabled", id, [:])
        case .userEnabled(let id): ("user.enabled", id, [:])
        }
    }
}

extension Worker {
    /// Writes an audit row in a task of its own.
    func audit(_ event: AuditEvent, by identity: Identity?, in exchange: Exchange) {
        let (action, target, details) = event.row
        var row = AuditRow(
            id: Identifier.make("audit"), at: .now, actor: identity?.user?.id ?? "anonymous",
            action: action, target: target, requestID: exchange.requestID)
        row.details = details.encoded()
        spawn { [spool, row] in _ = await spool.store(.audit(row)) }
    }
}
