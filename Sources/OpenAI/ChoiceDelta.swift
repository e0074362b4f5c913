package import JSON

/// The finish reasons of the wire.
package enum FinishReason: String, Sendable {
    case stop, length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
    case functionCall = "function_call"
}

/// A step of one choice in a stream, made of allowed members only.
package struct ChoiceDelta: Sendable {
    /// The choice, from 0.
    package var index: Int
    /// Members of `delta` except `tool_calls`: `content`, `refusal`, `reasoning_content`,
    /// `reasoning`, `function_call`, `audio`, `images`. Values are mostly verbatim JSON.
    package var delta: [Member]
    /// Pieces of calls.
    package var toolCalls: [ToolCallDelta]
    /// Set in the last step of the choice.
    package var finishReason: FinishReason?
    /// Verbatim JSON.
    package var logprobs: [UInt8]?

    /// A step as given.
    package init(
        index: Int = 0, delta: [Member] = [], toolCalls: [ToolCallDelta] = [],
        finishReason: FinishReason? = nil, logprobs: [UInt8]? = nil
    ) {
        self.index = index
        self.delta = delta
        self.toolCalls = toolCalls
        self.finishReason = finishReason
        self.logprobs = logprobs
    }

    /// Nothing that a client could see.
    package var isEmpty: Bool {
        delta.isEmpty && toolCalls.isEmpty && finishReason == nil && logprobs == nil
    }

    /// The text of a member that holds a string, such as `content` or `refusal`.
    package func text(_ key: String) -> String? {
        guard let member = delta.first(where: { $0.key == key }) else { return nil }
        return StringLiteral.decode(member.value.encoded())
    }

    /// The element of a chunk's `choices`.
    package func value(in form: CompletionForm) -> Value {
        switch form {
        case .chat: value
        case .text: textValue
        }
    }

    /// The same on the wire of texts, which has no place for anything but `content`.
    private var textValue: Value {
        [
            "index": .integer(index),
            "text": delta.first { $0.key == "content" }?.value ?? "",
            "logprobs": logprobs.map(Value.verbatim) ?? .null,
            "finish_reason": finishReason.map { .string($0.rawValue) } ?? .null,
        ]
    }

    /// The element of a chat completion chunk's `choices`.
    package var value: Value {
        var members = delta
        if !toolCalls.isEmpty {
            members.append(Member("tool_calls", .array(toolCalls.map(\.value))))
        }
        var choice = [
            Member("index", .integer(index)),
            Member("delta", .object(members)),
        ]
        if let logprobs { choice.append(Member("logprobs", .verbatim(logprobs))) }
        choice.append(
            Member("finish_reason", finishReason.map { .string($0.rawValue) } ?? .null))
        return .object(choice)
    }
}

/// A piece of a tool call. The first piece of a call carries `id` and `name`, later ones only
/// arguments.
package struct ToolCallDelta: Sendable {
    /// The call within its message, from 0.
    package var index: Int
    /// Only in the first piece.
    package var id: String?
    /// Only in the first piece.
    package var name: String?
    /// More of the arguments (of a custom tool: of its input), as the *inside* of a JSON string
    /// literal: escaped, without quotes.
    package var arguments: [UInt8]
    /// A tool of type `custom`.
    package var isCustom: Bool

    /// A piece as given.
    package init(
        index: Int, id: String? = nil, name: String? = nil, arguments: [UInt8] = [],
        isCustom: Bool = false
    ) {
        self.index = index
        self.id = id
        self.name = name
        self.arguments = arguments
        self.isCustom = isCustom
    }

    var value: Value {
        var members = [Member("index", .integer(index))]
        var function: [Member] = []
        let kind = isCustom ? "custom" : "function"
        if let id {
            members.append(Member("id", .string(id)))
            members.append(Member("type", .string(kind)))
        }
        if let name { function.append(Member("name", .string(name))) }
        function.append(
            Member(isCustom ? "input" : "arguments", .verbatim(EscapedText.quoted(arguments[...]))))
        members.append(Member(kind, .object(function)))
        return .object(members)
    }
}
