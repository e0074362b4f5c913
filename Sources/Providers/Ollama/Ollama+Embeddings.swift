import HTTP
import JSON
package import OpenAI

extension Ollama {
    /// The request for embeddings. Ollama would cut longer texts without a word; it is told not to.
    package func embeddings(_ call: EmbeddingCall) throws(APIError) -> ProviderRequest {
        let request = call.request
        guard request.input.isText else {
            throw .invalidValue("input", "this model takes only strings, no tokens")
        }
        let parameters = OllamaParameters(
            try call.adjustments.applied(toOther: request.document.root),
            contextLength: settings.contextLength)
        var members = [
            Member("model", .string(call.model)),
            Member("input", .verbatim(Array(request.input.node.bytes))),
        ]
        if let dimensions = request.dimensions {
            members.append(Member("dimensions", .integer(dimensions)))
        }
        if request.document.root["truncate"] == nil { members.append(Member("truncate", false)) }
        members.append(Member("options", .object(parameters.options)))
        members += parameters.unknown(besides: handledNames)
        return ProviderRequest(
            method: .post, path: "/api/embed", fields: settings.fields(),
            body: Value.object(members).encoded())
    }

    /// Reads the reply to it.
    package func embeddings(
        _ body: [UInt8], to call: EmbeddingCall
    ) throws(ProviderFailure) -> ProviderEmbeddings {
        let root = try decode(body, limits: embeddingLimits)
        if let failure = statedFailure(root) { throw failure }
        guard let vectors = root["embeddings"], vectors.kind == .array else {
            throw .badResponse("a reply without embeddings")
        }
        let count = root["prompt_eval_count"]?.integer ?? 0
        return ProviderEmbeddings(
            embeddings: try Providers.embeddings(Array(vectors.elements), to: call.request),
            usage: count > 0
                ? Usage(promptTokens: count, completionTokens: 0, source: .provider) : nil)
    }
}

/// Members that are translated above, and those that Ollama has no use for and nobody misses.
private let handledNames: Set<String> = [
    "dimensions", "encoding_format", "input", "model", "options", "user",
]
