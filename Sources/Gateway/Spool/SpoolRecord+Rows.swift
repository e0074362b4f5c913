internal import JSON
internal import PostgreSQL
internal import Store

// Rows of the ledger and of the audit as JSON.

extension UsageRow {
    var value: Value {
        [
            "id": .string(id), "at": createdAt.value, "request": .string(requestID),
            "user": .optional(userID), "token": .optional(tokenID), "route": .string(route),
            "model": .optional(model), "provider": .optional(provider),
            "provider_model": .optional(providerModel), "kind": .string(kind.rawValue),
            "prompt_tokens": .integer(promptTokens),
            "completion_tokens": .integer(completionTokens), "total_tokens": .integer(totalTokens),
            "source": .string(source.rawValue), "ended": .string(ended.rawValue),
            "status": .integer(status),
            "first_event_ms": firstEventMilliseconds.map { .integer($0) } ?? .null,
            "duration_ms": .integer(durationMilliseconds),
        ]
    }

    init?(_ node: Node) {
        guard let id = node["id"]?.string, let at = Timestamp(node["at"]),
            let request = node["request"]?.string, let route = node["route"]?.string,
            let kind = node["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let source = node["source"]?.string.flatMap(Source.init(rawValue:)),
            let ended = node["ended"]?.string.flatMap(Ended.init(rawValue:))
        else { return nil }
        self.init(id: id, createdAt: at, requestID: request, route: route)
        (self.kind, self.source, self.ended) = (kind, source, ended)
        userID = node["user"]?.string
        tokenID = node["token"]?.string
        model = node["model"]?.string
        provider = node["provider"]?.string
        providerModel = node["provider_model"]?.string
        promptTokens = node["prompt_tokens"]?.integer ?? 0
        completionTokens = node["completion_tokens"]?.integer ?? 0
        totalTokens = node["total_tokens"]?.integer ?? 0
        status = node["status"]?.integer ?? 0
        firstEventMilliseconds = node["first_event_ms"]?.integer
        durationMilliseconds = node["duration_ms"]?.integer ?? 0
    }
}

extension AuditRow {
    var value: Value {
        [
            "id": .string(id), "at": at.value, "actor": .string(actor), "action": .string(action),
            "target": .optional(target), "request": .optional(requestID),
            "details": .verbatim(details),
        ]
    }

    init?(_ node: Node) {
        guard let id = node["id"]?.string, let at = Timestamp(node["at"]),
            let actor = node["actor"]?.string, let action = node["action"]?.string,
            let details = node["details"]
        else { return nil }
        self.init(
            id: id, at: at, actor: actor, action: action, target: node["target"]?.string,
            requestID: node["request"]?.string)
        self.details = Array(details.bytes)
    }
}
