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
    case userCreated(User)
    case roleChanged(user: String, role: String)
    case userDisabled(id: String)
    case userEnabled(id: String)

    var row: (action: String, target: String?, details: Value) {
        switch self {
        case .refused(let action): ("permission.refused", nil, ["action": .string(action)])
        case .tokenMinted(let id, let user): ("token.minted", id, ["user": .string(user)])
        case .tokenRevoked(let id, let user): ("token.revoked", id, ["user": .string(user)])
        case .userCreated(let user):
            (
                "user.created", user.id,
                ["role": .string(user.role), "source": .string(user.source.rawValue)]
            )
        case .roleChanged(let user, let role): ("user.role_changed", user, ["role": .string(role)])
        case .userDisabled(let id): ("user.disabled", id, [:])
        case .userEnabled(let id): ("user.enabled", id, [:])
        }
    }
}

/// Who does what the audit tells of.
struct Author: Sendable {
    /// A user's id, `anonymous`, or `host` for the command line.
    let id: String
    var requestID: String?

    static let host = Author(id: "host")

    @LoopActor
    func row(_ event: AuditEvent) -> AuditRow {
        let (action, target, details) = event.row
        var row = AuditRow(
            id: Identifier.make("audit"), at: .now, actor: id, action: action, target: target,
            requestID: requestID)
        row.details = details.encoded()
        return row
    }

    /// For each token that is revoked.
    var revocation: AuditEntry<APIToken> {
        { row(.tokenRevoked(id: $0.id, user: $0.userID)) }
    }
}

extension AuditEvent {
    /// What a change of this user is, in the order in which it is told.
    static func events(of change: UserChange, user: String) -> [AuditEvent] {
        var events: [AuditEvent] = []
        if let role = change.role { events.append(.roleChanged(user: user, role: role)) }
        if let isDisabled = change.isDisabled {
            events.append(isDisabled ? .userDisabled(id: user) : .userEnabled(id: user))
        }
        return events
    }
}

extension Exchange {
    /// The caller, for the audit.
    var author: Author {
        Author(id: identity?.user?.id ?? "anonymous", requestID: requestID)
    }
}

extension Worker {
    /// Notes that an action or a model was refused, in a task of its own, unless the same was noted within the last
    /// minute. What is changed is noted by the change itself.
    func auditRefusal(of reason: String, in exchange: Exchange) {
        let author = exchange.author
        guard notedRefusals.isNew(reason, of: author.id, at: Loop.now) else { return }
        let row = author.row(.refused(reason))
        spawn { [spool] in _ = await spool.store(.audit(row)) }
    }
}
