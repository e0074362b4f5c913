import HTTP
import JSON
package import OpenAI

extension Ollama {
    /// The request for a text completion, in the words of `/api/generate`. What Ollama cannot do is refused, so that
    /// nobody believes it was done.
    package func text(_ call: TextCall) throws(APIError) -> ProviderRequest {
        let request = call.request
        try refuseImpossible(request)
        let parameters = OllamaParameters(
            try call.adjustments.applied(toOther: request.document.root),
            contextLength: settings.contextLength,
            maximumTokens: request.maximumTokens)
        var members = [
            Member("model", .string(call.model)),
            Member("prompt", .string(try lonePrompt(of: request))),
            Member("stream", .boolean(call.isStream)),
        ]
        if let suffix = request["suffix"] {
            members.append(Member("suffix", .verbatim(Array(suffix.bytes))))
        }
        members.append(Member("options", .object(parameters.options)))
        members += parameters.unknown(besides: handledNames)
        return ProviderRequest(
            method: .post, path: "/api/generate", fields: fields(isStream: call.isStream),
            body: Value.object(members).encoded())
    }
}

/// The only prompt. An empty one would load the model and write nothing.
private func lonePrompt(of request: TextCompletionRequest) throws(APIError) -> String {
    guard let prompt = request.prompt, prompt.isText, prompt.count == 1,
        let text = (prompt.node[0] ?? prompt.node).string
    else { throw .invalidValue("prompt", "this model takes one string") }
    guard !text.isEmpty else { throw .invalidValue("prompt", "this model needs some text") }
    return text
}

private func refuseImpossible(_ request: TextCompletionRequest) throws(APIError) {
    func refuse(_ parameter: String, _ why: String) throws(APIError) {
        throw .invalidValue(parameter, "this model \(why)")
    }
    for name in ["n", "best_of"] where request[name]?.integer ?? 1 > 1 {
        try refuse(name, "gives one choice at a time")
    }
    if request["echo"]?.boolean == true { try refuse("echo", "does not repeat the prompt") }
    if request["logprobs"] != nil { try refuse("logprobs", "gives none here; leave it out") }
    if let bias = request["logit_bias"], bias.count > 0 {
        try refuse("logit_bias", "cannot weigh tokens; leave it out")
    }
    if request.maximumTokens == 0 { try refuse("max_tokens", "writes at least one token") }
}

/// Members that are translated above, and those that Ollama has no use for and nobody misses.
private let handledNames: Set<String> = [
    "best_of", "echo", "logit_bias", "logprobs", "max_tokens", "model", "n", "options", "prompt",
    "stream", "stream_options", "suffix", "user",
]
