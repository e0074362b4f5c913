import JSON

/// What a message says, in one spelling: two messages with the same meaning have the same bytes,
/// however the client escaped, trimmed or split them. These bytes go into the history hash that
/// finds the stored turn which a request continues.
package struct CanonicalMessage: Sendable {
    /// Who speaks; `developer` counts as `system`, `function` as `tool`.
    package var role: Role
    /// The joined text.
    package var text: String
    /// Parts that are no text.
    var attachments: [Node] = []
    /// The calls made.
    package var toolCalls: [ToolCall] = []
    /// The call answered.
    package var toolCallID: String?

    /// The canonical form of an answer of ours, as the client will send it back.
    package init(role: Role, text: String, toolCalls: [ToolCall] = []) {
        self.role = role
        self.text = text
        self.toolCalls = toolCalls
    }

    /// The canonical form of a message of a request.
    package init(_ message: Message) {
        role = message.role
        text = message.text
        attachments = message.parts.filter { $0["text"] == nil }
        toolCalls = message.toolCalls
        toolCallID = message.toolCallID
    }

    /// Hands over the bytes to be hashed: fields with tag and length, so that no two messages
    /// collide. In pieces, since a message may be as large as a body.
    package func forEachPiece(_ take: (Span<UInt8>) -> Void) {
        field("r", spokenRole.rawValue[...], take)
        // Open WebUI trims what the model said before it sends it back.
        field("t", role == .assistant ? trimmed(text[...]) : text[...], take)
        for part in attachments { value(part, take) }
        for call in toolCalls {
            field("c", call.id[...], take)
            field("n", call.name[...], take)
            arguments(call.arguments.isEmpty ? "{}" : call.arguments, take)
        }
        if let toolCallID { field("i", toolCallID[...], take) }
    }

    private var spokenRole: Role {
        switch role {
        case .developer: .system
        case .function: .tool
        default: role
        }
    }
}

private func field(_ tag: String, _ text: Substring, _ take: (Span<UInt8>) -> Void) {
    field(tag, text.utf8.span, take)
}

private func field(_ tag: String, _ content: Span<UInt8>, _ take: (Span<UInt8>) -> Void) {
    let head = Array("\(tag)\(content.count):".utf8)
    take(head.span)
    take(content)
}

/// Arguments of a call: clients that parse them write them anew.
private func arguments(_ text: String, _ take: (Span<UInt8>) -> Void) {
    guard let document = try? Document(Array(text.utf8)) else {
        return field("a", text[...], take)
    }
    value(document.root, take)
}

/// A value in one spelling: members in the order of their keys, strings without escapes, no blanks.
private func value(_ node: Node, _ take: (Span<UInt8>) -> Void) {
    switch node.kind {
    case .object:
        let members = node.members.sorted {
            $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        field("o", "\(members.count)", take)
        for (key, member) in members {
            field("k", key[...], take)
            value(member, take)
        }
    case .array:
        field("l", "\(node.count)", take)
        for element in node.elements { value(element, take) }
    case .string: field("s", node.text.span, take)
    default: field("v", node.bytes.span, take)
    }
}

private func trimmed(_ text: Substring) -> Substring {
    let start = text.drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return start[...last]
}

extension Message {
    /// What the message says, in one spelling.
    package var canonical: CanonicalMessage { CanonicalMessage(self) }
}

extension ChatCompletion.Choice {
    /// The answer as the client will send it back in its next request.
    package var canonical: CanonicalMessage {
        guard let document = try? Document(Value.object(message).encoded()) else {
            return CanonicalMessage(role: .assistant, text: text)
        }
        return CanonicalMessage(Message(role: .assistant, node: document.root))
    }
}
