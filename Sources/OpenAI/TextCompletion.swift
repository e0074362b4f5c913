import JSON

/// The reply to a text completion that is not streamed, built from allowed members only.
package struct TextCompletion: Sendable {
    /// `cmpl-…`
    package var id: String
    /// Unix seconds.
    package var created: Int
    /// The model as asked for.
    package var model: String
    /// In order of their index; `content` of the message is the text.
    package var choices: [ChatCompletion.Choice]
    /// What it cost.
    package var usage: Usage
    /// Fingerprint of the provider.
    package var origin = Origin()

    /// A reply as given.
    package init(
        id: String, created: Int, model: String, choices: [ChatCompletion.Choice], usage: Usage
    ) {
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
    }

    /// The reply body, UTF-8 JSON.
    package func body() -> [UInt8] {
        let members = [
            Member("id", .string(id)),
            Member("object", "text_completion"),
            Member("created", .integer(created)),
            Member("model", .string(model)),
            Member("choices", .array(choices.map(\.textValue))),
            Member("usage", usage.value),
        ]
        return Value.object(members + origin.members).encoded()
    }
}

extension ChatCompletion.Choice {
    /// The element of a text completion's `choices`: that of a chunk, with all of the text.
    fileprivate var textValue: Value {
        ChoiceDelta(index: index, delta: message, finishReason: finishReason, logprobs: logprobs)
            .value(in: .text)
    }
}
