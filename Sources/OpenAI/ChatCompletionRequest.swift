package import JSON

/// `POST /v1/chat/completions`: a typed view over the caller's untouched bytes. Whatever has no
/// name here is forwarded as it stands.
package struct ChatCompletionRequest: CompletionRequest {
    /// The body as it came.
    package let document: Document
    /// The model's id as the caller wrote it.
    package let model: String
    /// At least one; tool messages answer calls of the assistant message before them.
    package let messages: [Message]
    /// `stream`: the reply is a stream of events.
    package let isStream: Bool
    /// `stream_options.include_usage`: the caller wants the usage chunk.
    package let includesUsage: Bool
    /// `store`: the caller wants to read the completion again later.
    package let store: Bool
    /// `n`, 1 to 128.
    package let choices: Int
    /// `max_completion_tokens`, else `max_tokens`; `nil` when the model decides.
    package let maximumTokens: Int?

    /// Parses and validates. Throws with the path of the first member that is wrong.
    package init(_ body: [UInt8]) throws(APIError) {
        try self.init(Document(requestBody: body))
    }

    /// Validates a document that is already parsed, for example one that a policy has edited.
    package init(_ document: Document) throws(APIError) {
        let root = RequestField(node: document.root, path: "")
        model = try root.modelName()
        messages = try checkMessages(of: root)
        try checkParameters(of: root, by: chatParameters)
        try checkTopLogprobs(of: root)
        try checkToolChoice(of: root)
        self.document = document
        isStream = root["stream"]?.node.boolean ?? false
        includesUsage = root["stream_options"]?["include_usage"]?.node.boolean ?? false
        store = root["store"]?.node.boolean ?? false
        choices = root["n"]?.node.integer ?? 1
        let limit = root["max_completion_tokens"] ?? root["max_tokens"]
        maximumTokens = limit?.node.integer
    }

    /// A parameter as the caller wrote it; `nil` when it is absent or `null`.
    package subscript(_ parameter: String) -> Node? {
        guard let node = document.root[parameter], !node.isNull else { return nil }
        return node
    }

    /// `metadata`; none when it is absent.
    package var metadata: Metadata {
        (try? self["metadata"].map { node throws(APIError) in try Metadata(node) }) ?? .none
    }

    /// The tools that this talk knows: those it declares and those it has called before.
    package var toolNames: Set<String> {
        var names = Set(messages.flatMap(\.toolCalls).map(\.name))
        for tool in self["tools"].map({ Array($0.elements) }) ?? [] {
            names.formUnion([(tool["custom"] ?? tool["function"])?["name"]?.string ?? ""])
        }
        for function in self["functions"].map({ Array($0.elements) }) ?? [] {
            names.formUnion([function["name"]?.string ?? ""])
        }
        return names.subtracting([""])
    }

    /// The last thing that the user said: the question for retrieval. Empty when there is none.
    package var lastUserText: String {
        messages.last { $0.role == .user }?.text ?? ""
    }

    /// The text of the only message that is no instruction, or `nil` when there are more: the
    /// shape of the side requests by which front ends ask for titles, tags and the like.
    package var soleText: String? {
        let others = messages.filter { !$0.role.isInstruction }
        guard others.count == 1 else { return nil }
        return others.first?.text
    }

    /// Every text of every message, one a line: what a content policy must see at the least.
    package var text: String {
        messages.map(\.text).joined(separator: "\n")
    }

    /// About how many characters the model has to read, for an estimate of its tokens: contents,
    /// calls and tools as spelled, without pictures, sounds and files.
    package var characterCount: Int {
        messages.reduce(self["tools"]?.range.count ?? 0) { $0 + $1.characterCount }
    }
}

extension ChatCompletionRequest {
    /// The same request with an answer and what the user says to it, everything else as it was spelled.
    package func adding(answer: String, reply: String) throws(APIError) -> ChatCompletionRequest {
        guard let messages = self["messages"] else { return self }
        let added: [Value] = [
            ["role": "assistant", "content": .string(answer)],
            ["role": "user", "content": .string(reply)],
        ]
        // Two elements, put in as one.
        let elements = Value.array(added).encoded().dropFirst().dropLast()
        let whole = messages.inserting(Array(elements), at: .max)
        return try ChatCompletionRequest(document.root.editing([.set("messages", whole)]))
    }
}

extension Message {
    fileprivate var characterCount: Int {
        let calls = node["tool_calls"]?.range.count ?? 0
        guard let content = node["content"] else { return calls }
        if content.kind == .string { return calls + content.range.count }
        return content.elements.reduce(calls) { $0 + ($1["text"]?.range.count ?? 0) }
    }
}
