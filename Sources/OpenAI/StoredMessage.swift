package import JSON

/// A message of a stored chat completion's request, as `GET …/messages` shows it.
package struct StoredMessage: Sendable {
    /// The completion's id and the message's place in the request, from 0.
    package let id: String
    private let message: Message
    /// What is written in another form, or belongs to requests only.
    private static let rewritten = ["id", "role", "content", "refusal", "content_parts", "audio"]

    /// The messages of a request, given as its JSON array; nil when these bytes are none.
    package static func list(_ messages: [UInt8], of completion: String) -> [StoredMessage]? {
        guard let root = try? Document(messages, limits: .stored).root, root.kind == .array else {
            return nil
        }
        return root.elements.enumerated().map { place, node in
            let role = node["role"]?.string.flatMap(Role.init) ?? .user
            return StoredMessage(
                id: "\(completion)-\(place)", message: Message(role: role, node: node))
        }
    }

    /// The object of the wire: `content` is text or `null`, parts stand in `content_parts`, and every other member is
    /// as the caller wrote it.
    package var value: Value {
        let parts = message.node["content"]?.kind == .array ? message.parts : nil
        let shown = parts.map { parts in
            parts.filter { ["text", "image_url"].contains($0["type"]?.string) }
                .map { Value.verbatim(Array($0.bytes)) }
        }
        let others = message.node.members.filter { key, value in
            !value.isNull && !Self.rewritten.contains(key)
        }
        return .object(
            [
                Member("id", .string(id)),
                Member("role", .string(message.role.rawValue)),
                Member("content", content),
                Member("refusal", refusal),
            ]
                + others.map { Member($0.key, .verbatim(Array($0.value.bytes))) }
                + [Member("content_parts", shown.map(Value.array) ?? .null)])
    }

    private var content: Value {
        if let content = message.node["content"], content.kind == .string {
            return .verbatim(Array(content.bytes))
        }
        let text = message.text
        return text.isEmpty ? .null : .string(text)
    }

    private var refusal: Value {
        if let refusal = message.node["refusal"] { return .verbatim(Array(refusal.bytes)) }
        let texts = message.parts.compactMap { $0["refusal"]?.string }
        return texts.isEmpty ? .null : .string(texts.joined(separator: "\n"))
    }
}

extension Limits {
    /// For what was checked when it came, and of which nothing may be refused any more. A provider's own objects in it
    /// were taken as they were.
    static let stored = Limits(depth: 128, values: .max, refusesDuplicateKeys: false)
}
