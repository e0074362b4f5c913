import JSON

/// What a message says, in one spelling: two messages with the same meaning have the same bytes,
/// however the client escaped, trimmed or split them. These bytes go into the history hash that
/// finds the stored turn which a request continues.
package struct CanonicalMessage: Sendable, Equatable {
    /// Who speaks; `developer` counts as `system`, `function` as `tool`.
    package var role: Role
    /// The joined text.
    package var text: String
    /// Parts that are no text, verbatim as JSON.
    package var attachments: [[UInt8]] = []
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
        attachments = message.parts.filter { $0["text"] == nil }.map { Array($0.bytes) }
        toolCalls = message.toolCalls
        toolCallID = message.toolCallID
    }

    /// The bytes to be hashed: fields with tag and length, so that no two messages collide.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append("r", spokenRole.rawValue.utf8, to: &bytes)
        // Open WebUI trims what the model said before it sends it back.
        append("t", (role == .assistant ? trimmed(text[...]) : text[...]).utf8, to: &bytes)
        for part in attachments { append("p", part, to: &bytes) }
        for call in toolCalls {
            append("c", call.id.utf8, to: &bytes)
            append("n", call.name.utf8, to: &bytes)
            append("a", (call.arguments.isEmpty ? "{}" : call.arguments).utf8, to: &bytes)
        }
        if let toolCallID { append("i", toolCallID.utf8, to: &bytes) }
        return bytes
    }

    private var spokenRole: Role {
        switch role {
        case .developer: .system
        case .function: .tool
        default: role
        }
    }
}

private func append(_ tag: String, _ content: some Collection<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "\(tag)\(content.count):".utf8)
    bytes.append(contentsOf: content)
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
