package import JSON

/// Who speaks in a message. `function` is the old form of `tool`.
package enum Role: String, Sendable {
    case system, developer, user, assistant, tool, function

    /// `system` and its newer name `developer`: instructions, not part of the talk.
    package var isInstruction: Bool { self == .system || self == .developer }
}

/// A validated message of a request: a view over the caller's bytes.
package struct Message: Sendable {
    /// Who speaks.
    package let role: Role
    /// The object as the caller wrote it.
    package let node: Node

    init(role: Role, node: Node) {
        self.role = role
        self.node = node
    }

    /// The text of the content: the string, or all text parts joined by line ends. Decoded at
    /// each call, since most messages are only forwarded.
    package var text: String {
        guard let content = node["content"] else { return "" }
        if let text = content.string { return text }
        return content.elements.compactMap { $0["text"]?.string }.joined(separator: "\n")
    }

    /// The parts of the content; empty when the content is a string or absent.
    package var parts: [Node] { node["content"].map { Array($0.elements) } ?? [] }

    /// The calls an assistant message makes; the old `function_call` counts as one without an id.
    package var toolCalls: [ToolCall] {
        if let calls = node["tool_calls"], calls.count > 0 {
            return calls.elements.map(ToolCall.init(node:))
        }
        guard let call = node["function_call"], call.kind == .object else { return [] }
        return [
            ToolCall(
                id: "", name: call["name"]?.string ?? "",
                arguments: call["arguments"]?.string ?? "")
        ]
    }

    /// The call that a `tool` message answers.
    package var toolCallID: String? { node["tool_call_id"]?.string }

    /// The speaker's name, if the caller gives one; for `function` the function's.
    package var name: String? { node["name"]?.string }
}

/// A call of a tool as a finished message states it.
package struct ToolCall: Sendable, Equatable {
    /// The id that the answering `tool` message repeats.
    package var id: String
    /// The function's or custom tool's name.
    package var name: String
    /// JSON text for a function, any text for a custom tool.
    package var arguments: String
    /// A tool of type `custom`, whose input is text instead of JSON.
    package var isCustom: Bool

    /// A call as given.
    package init(id: String, name: String, arguments: String, isCustom: Bool = false) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.isCustom = isCustom
    }

    init(node: Node) {
        let custom = node["custom"]
        let function = custom ?? node["function"]
        self.init(
            id: node["id"]?.string ?? "",
            name: function?["name"]?.string ?? "",
            arguments: function?[custom == nil ? "arguments" : "input"]?.string ?? "",
            isCustom: custom != nil)
    }
}
