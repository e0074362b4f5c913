package import HTTP
import JSON
package import OpenAI

/// Any server that speaks OpenAI's wire: vLLM, llama.cpp, OpenAI itself. The caller's
/// bytes go on as they are, but for a few members.
package struct OpenAICompatible: Provider {
    /// The name that the configuration uses.
    package static let kind = "openai"
    /// Server-sent events.
    package let framing = Framing.serverSentEvents
    let settings: ProviderSettings

    /// The base URL ends in `/v1`.
    package init(settings: ProviderSettings) {
        self.settings = settings
    }

    /// The request for a chat completion.
    package func chat(_ call: ChatCall) throws(APIError) -> ProviderRequest {
        ProviderRequest(
            method: .post, path: "/chat/completions", fields: fields(isStream: call.isStream),
            body: call.request.document.root.editing(edits(for: call)))
    }

    func fields(isStream: Bool) -> Fields {
        settings.fields(accept: isStream ? "text/event-stream" : "application/json")
    }

    private func edits(for call: ChatCall) -> [Edit] {
        let request = call.request
        var edits = streamEdits(
            of: request.document.root, model: call.model, isStream: call.isStream)
        // We store; OpenAI refuses metadata of what it does not store.
        edits.append(.remove("store"))
        if request.store { edits.append(.remove("metadata")) }
        if let text = call.systemText, !text.isEmpty {
            edits.append(.set("messages", messages(of: request, after: text)))
        }
        // Last, so that the operator can also drop what we add.
        return edits + call.adjustments.edits(for: request)
    }

    /// Reads a reply that is not streamed.
    package func completion(_ body: [UInt8], to question: Question) throws(ProviderFailure)
        -> ProviderCompletion
    {
        let root = try decode(body)
        if let failure = statedFailure(root) { throw failure }
        var choices: [ChatCompletion.Choice] = []
        let most = max(question.choices, 128)
        for node in root["choices"]?.elements.prefix(most).map({ $0 }) ?? [] {
            choices.append(try choice(node, question))
        }
        guard Set(choices.map(\.index)).count >= question.leastChoices else {
            throw .badResponse("a completion of \(choices.count) choices")
        }
        return ProviderCompletion(
            choices: choices.sorted { $0.index < $1.index },
            usage: root["usage"].flatMap(Usage.init), origin: Origin(root))
    }

    /// Reads one stream.
    package func reader(of question: Question) -> any StreamReader {
        OpenAIStreamReader(question)
    }

    /// What a reply with an error status means.
    package func failure(status: Status, fields: Fields, body: [UInt8]) -> ProviderFailure {
        ProviderFailure(status: status, fields: fields, body: body)
    }

    /// The request that lists the models.
    package func discovery() -> ProviderRequest? {
        ProviderRequest(method: .get, path: "/models", fields: settings.fields(), body: [])
    }

    /// Reads the reply to it.
    package func models(_ body: [UInt8]) throws(ProviderFailure) -> [String] {
        guard let data = try decode(body)["data"], data.kind == .array else {
            throw .badResponse("a model list without data")
        }
        return data.elements.compactMap { $0["id"]?.string }
    }

    private func choice(_ node: Node, _ question: Question) throws(ProviderFailure)
        -> ChatCompletion.Choice
    {
        if question.form == .text { return try textChoice(node) }
        guard let message = node["message"], message.kind == .object else {
            throw .badResponse("a choice without a message")
        }
        let index = node["index"]?.integer ?? 0
        var members = allowedMembers(message, question.toolNames)
        var calls = ToolCallTracker(question, choice: index)
        let whole = try calls.whole(message["tool_calls"])
        if calls.areLeftOut, !members.contains(where: isAnswer) {
            throw .undeclaredCalls
        }
        if !whole.isEmpty { members.append(Member("tool_calls", .array(whole.map(\.value)))) }
        let reason = try finishReason(
            node["finish_reason"], hasCalls: !whole.isEmpty,
            callsFunction: members.contains { $0.key == "function_call" })
        return ChatCompletion.Choice(
            index: index, message: members, finishReason: reason ?? .stop,
            logprobs: allowedLogprobs(node["logprobs"]))
    }
}

/// A choice of a text completion.
private func textChoice(_ node: Node) throws(ProviderFailure) -> ChatCompletion.Choice {
    let step = try textStep(node, node["index"]?.integer ?? 0)
    guard !step.delta.isEmpty else { throw .badResponse("a choice without a text") }
    return ChatCompletion.Choice(
        index: step.index, message: step.delta, finishReason: step.finishReason ?? .stop,
        logprobs: step.logprobs)
}

/// What a request of any wire gets: the provider's name of the model, and usage also in a stream.
func streamEdits(of root: Node, model: String, isStream: Bool) -> [Edit] {
    var edits = [
        Edit.set("model", StringLiteral.encode(model)),
        .set("stream", Array("\(isStream)".utf8)),
    ]
    if isStream {
        let given = root["stream_options"].flatMap { $0.isNull ? nil : $0 }
        let options = given?.editing([.set("include_usage", Array("true".utf8))])
        edits.append(.set("stream_options", options ?? Array(#"{"include_usage":true}"#.utf8)))
    } else {
        edits.append(.remove("stream_options"))
    }
    return edits
}

/// The caller's messages with a text in front: merged into his own first instruction, since many
/// chat templates take only one, else as a message of its own.
private func messages(of request: ChatCompletionRequest, after text: String) -> [UInt8] {
    guard let list = request["messages"], let first = request.messages.first else { return [] }
    guard first.role.isInstruction, let content = first.node["content"] else {
        let message: Value = ["role": "system", "content": .string(text)]
        return list.inserting(message.encoded(), at: 0)
    }
    let merged: [UInt8]
    if content.kind == .array {
        let part: Value = ["type": "text", "text": .string(text)]
        merged = content.inserting(part.encoded(), at: 0)
    } else {
        merged = StringLiteral.encode(text + "\n\n").dropLast() + content.bytes.dropFirst()
    }
    let whole = request.document.bytes
    return whole[list.range.lowerBound..<first.node.range.lowerBound]
        + first.node.editing([.set("content", merged)])
        + whole[first.node.range.upperBound..<list.range.upperBound]
}

/// A reply must be a JSON object; anything else (a proxy's HTML page, say) is no answer. Doubled
/// keys are a provider's own affair, since only allowed members are taken. The failure tells nothing
/// of the body, which may be a piece of an answer.
func decode(
    _ body: [UInt8], limits: Limits = Limits(refusesDuplicateKeys: false)
) throws(ProviderFailure) -> Node {
    let what = body.first == UInt8(ascii: "<") ? "bytes of markup" : "bytes"
    do {
        let root = try Document(body, limits: limits).root
        guard root.kind == .object else { throw ProviderFailure.badResponse("no object") }
        return root
    } catch let failure as ProviderFailure {
        throw failure
    } catch {
        throw .badResponse("no JSON (\(error)): \(body.count) \(what)")
    }
}

/// The failure that an object states although it came with a good status.
func statedFailure(_ root: Node) -> ProviderFailure? {
    if let error = root["error"], !error.isNull {
        return ProviderFailure(inStream: ReportedError(error))
    }
    guard root["choices"] == nil, root["object"]?.string == "error" || root["detail"] != nil else {
        return nil
    }
    return ProviderFailure(inStream: ReportedError(root))
}
