package import JSON

/// The reply to a chat completion that is not streamed, built from allowed members only.
package struct ChatCompletion: Sendable {
    /// One answer.
    package struct Choice: Sendable {
        /// From 0.
        package var index: Int
        /// Members of `message` after `role`; `content` and `refusal` are always written.
        package var message: [Member]
        /// Why the answer ended.
        package var finishReason: FinishReason
        /// Verbatim JSON.
        package var logprobs: [UInt8]?

        /// A choice as given.
        package init(
            index: Int, message: [Member], finishReason: FinishReason, logprobs: [UInt8]? = nil
        ) {
            self.index = index
            self.message = message
            self.finishReason = finishReason
            self.logprobs = logprobs
        }

        /// The text of the answer; empty when there is none.
        package var text: String {
            guard let content = message.first(where: { $0.key == "content" }) else { return "" }
            return StringLiteral.decode(content.value.encoded()) ?? ""
        }

        /// Puts another text in place, for example after a policy.
        package mutating func setText(_ text: String) {
            message.removeAll { $0.key == "content" }
            message.insert(Member("content", .string(text)), at: 0)
        }
    }

    /// `chatcmpl-…`
    package var id: String
    /// Unix seconds.
    package var created: Int
    /// The model as asked for.
    package var model: String
    /// In order of their index.
    package var choices: [Choice]
    /// What it cost.
    package var usage: Usage?
    /// Fingerprint and tier of the provider.
    package var origin = Origin()
    /// Told as annotations of choice 0 and as the top-level `citations`.
    package var citations: [Citation] = []
    /// Echoed for a stored completion.
    package var metadata: Value?

    /// A reply as given.
    package init(id: String, created: Int, model: String, choices: [Choice], usage: Usage?) {
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
    }

    /// The reply as a value.
    package var value: Value {
        var members = [
            Member("id", .string(id)),
            Member("object", "chat.completion"),
            Member("created", .integer(created)),
            Member("model", .string(model)),
            Member("choices", .array(choices.map { $0.value(citing: citations) })),
        ]
        if let usage { members.append(Member("usage", usage.value)) }
        members += origin.members
        if let metadata { members.append(Member("metadata", metadata)) }
        if !citations.isEmpty {
            members.append(Member("citations", .array(citations.map(\.value))))
        }
        return .object(members)
    }

    /// The reply body, UTF-8 JSON.
    package func body() -> [UInt8] { value.encoded() }

    /// The body of a stored completion with other metadata, everything else as it was spelled; nil when these bytes
    /// are no object.
    package static func body(_ body: [UInt8], with metadata: Metadata) -> [UInt8]? {
        guard let root = try? Document(body, limits: .stored).root, root.kind == .object else {
            return nil
        }
        return root.editing([.set("metadata", metadata.value.encoded())])
    }
}

extension ChatCompletion.Choice {
    fileprivate func value(citing citations: [Citation]) -> Value {
        var members = [Member("role", "assistant")]
        // Both are required by the schema, also when there is nothing to say.
        for key in ["content", "refusal"] {
            members.append(message.first { $0.key == key } ?? Member(key, .null))
        }
        members += message.filter { member in
            !["role", "content", "refusal"].contains(member.key) && !Self.isBrokenSound(member)
        }
        if index == 0, !citations.isEmpty {
            members.removeAll { $0.key == "annotations" }
            let text = text
            let annotations = citations.map { $0.annotation(in: text) }
            members.append(Member("annotations", .array(annotations)))
        }
        return [
            "index": .integer(index),
            "message": .object(members),
            "logprobs": logprobs.map(Value.verbatim) ?? .null,
            "finish_reason": .string(finishReason.rawValue),
        ]
    }

    /// The schema requires all of these, and a client cannot do without any.
    private static func isBrokenSound(_ member: Member) -> Bool {
        guard member.key == "audio" else { return false }
        let audio = try? Document(member.value.encoded()).root
        let hasTexts = ["id", "data", "transcript"].allSatisfy { audio?[$0]?.kind == .string }
        return !hasTexts || audio?["expires_at"]?.integer == nil
    }
}
