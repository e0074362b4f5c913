package import HTTP
import JSON
package import OpenAI

/// Ollama by its native API, since only that one lets the request choose the window (`num_ctx`);
/// Ollama cuts a longer prompt without a word.
package struct Ollama: Provider {
    /// The name that the configuration uses.
    package static let kind = "ollama"
    /// One JSON text a line.
    package let framing = Framing.lines
    let settings: ProviderSettings

    /// The base URL is the server's, without `/api`.
    package init(settings: ProviderSettings) {
        self.settings = settings
    }

    /// The request for a chat completion.
    package func chat(_ call: ChatCall) throws(APIError) -> ProviderRequest {
        ProviderRequest(
            method: .post, path: "/api/chat", fields: fields(isStream: call.isStream),
            body: try OllamaRequest(call, contextLength: settings.contextLength).body())
    }

    func fields(isStream: Bool) -> Fields {
        settings.fields(accept: isStream ? "application/x-ndjson" : "application/json")
    }

    /// Ollama drops the oldest messages of a prompt that its window does not hold, and does not say so. Estimated by
    /// four characters a token.
    package func warning(of call: ChatCall) -> String? {
        guard let window = call.request["num_ctx"]?.integer ?? settings.contextLength else {
            return nil
        }
        let characters = call.request.characterCount + (call.systemText?.unicodeScalars.count ?? 0)
        guard characters / 4 > window else { return nil }
        return "the prompt is probably longer than the model's window of \(window) tokens, "
            + "and its beginning lost"
    }

    /// Reads a reply that is not streamed.
    package func completion(_ body: [UInt8], to question: Question) throws(ProviderFailure)
        -> ProviderCompletion
    {
        let root = try decode(body)
        if let failure = statedFailure(root) { throw failure }
        guard root["done"]?.boolean != false else { throw .disconnected("a reply without done") }
        if question.form == .text { return try text(of: root) }
        guard let message = root["message"], message.kind == .object else {
            throw .badResponse("a reply without a message")
        }
        var calls = ToolCallTracker(question, choice: 0)
        let whole = try calls.whole(message["tool_calls"])
        var members = ollamaMembers(message)
        if calls.areLeftOut, !members.contains(where: isAnswer) {
            throw .undeclaredCalls
        }
        if !whole.isEmpty { members.append(Member("tool_calls", .array(whole.map(\.value)))) }
        let reason = try finishReason(root["done_reason"], hasCalls: !whole.isEmpty)
        let choice = ChatCompletion.Choice(
            index: 0, message: members, finishReason: reason ?? .stop,
            logprobs: ollamaLogprobs(root))
        return ProviderCompletion(choices: [choice], usage: ollamaUsage(root), origin: Origin())
    }

    /// Reads a reply of `/api/generate`. What a model thinks has no place on the wire of texts.
    private func text(of root: Node) throws(ProviderFailure) -> ProviderCompletion {
        guard let text = ollamaText(root) else { throw .badResponse("a reply without a response") }
        let reason = try finishReason(root["done_reason"], hasCalls: false)
        let choice = ChatCompletion.Choice(
            index: 0, message: [text], finishReason: reason ?? .stop)
        return ProviderCompletion(choices: [choice], usage: ollamaUsage(root))
    }

    /// Reads one stream.
    package func reader(of question: Question) -> any StreamReader {
        OllamaStreamReader(question)
    }

    /// What a reply with an error status means.
    package func failure(status: Status, fields: Fields, body: [UInt8]) -> ProviderFailure {
        ProviderFailure(status: status, fields: fields, body: body)
    }

    /// The request that lists the models.
    package func discovery() -> ProviderRequest? {
        ProviderRequest(method: .get, path: "/api/tags", fields: settings.fields(), body: [])
    }

    /// Reads the reply to it.
    package func models(_ body: [UInt8]) throws(ProviderFailure) -> [String] {
        guard let list = try decode(body)["models"], list.kind == .array else {
            throw .badResponse("a model list without models")
        }
        return list.elements.compactMap { ($0["name"] ?? $0["model"])?.string }
    }
}

/// Content and thinking of a reply, under OpenAI's names.
func ollamaMembers(_ message: Node) -> [Member] {
    [("thinking", "reasoning_content"), ("content", "content")].compactMap { theirs, ours in
        guard let text = message[theirs], text.kind == .string else { return nil }
        return Member(ours, .verbatim(Array(text.bytes)))
    }
}

/// The text of a reply of `/api/generate`, under OpenAI's name.
func ollamaText(_ root: Node) -> Member? {
    guard let text = root["response"], text.kind == .string else { return nil }
    return Member("content", .verbatim(Array(text.bytes)))
}

/// Ollama lists tokens where OpenAI has an object with two lists.
func ollamaLogprobs(_ root: Node) -> [UInt8]? {
    guard let list = root["logprobs"], list.kind == .array, list.count > 0 else { return nil }
    return Logprobs.object(["content": allowedTokens(list)])
}

/// A prompt found in the cache is not counted by Ollama, so its figure may be absent.
func ollamaUsage(_ root: Node) -> Usage? {
    guard let completion = root["eval_count"]?.integer, completion >= 0 else { return nil }
    let prompt = max(0, root["prompt_eval_count"]?.integer ?? 0)
    return Usage(promptTokens: prompt, completionTokens: completion, source: .provider)
}
