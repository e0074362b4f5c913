import HTTP
import JSON
package import OpenAI

extension OpenAICompatible {
    /// The request for embeddings.
    package func embeddings(_ call: EmbeddingCall) throws(APIError) -> ProviderRequest {
        let root = call.request.document.root
        let edits = [Edit.set("model", StringLiteral.encode(call.model))]
        return ProviderRequest(
            method: .post, path: "/embeddings", fields: settings.fields(),
            body: root.editing(edits + call.adjustments.edits(forOther: root)))
    }

    /// Reads the reply to it.
    package func embeddings(
        _ body: [UInt8], to call: EmbeddingCall
    ) throws(ProviderFailure) -> ProviderEmbeddings {
        let root = try decode(body, limits: embeddingLimits)
        if let failure = statedFailure(root) { throw failure }
        return ProviderEmbeddings(
            embeddings: try Providers.embeddings(try vectors(of: root), to: call.request),
            usage: root["usage"].flatMap(Usage.init))
    }

    /// The vectors in the order of their index, which need not be that of the list.
    private func vectors(of root: Node) throws(ProviderFailure) -> [Node] {
        guard let data = root["data"], data.kind == .array else {
            throw .badResponse("embeddings without data")
        }
        var vectors: [Int: Node] = [:]
        for (position, item) in data.elements.enumerated() {
            let index = item["index"]?.integer ?? position
            guard let vector = item["embedding"], vectors.updateValue(vector, forKey: index) == nil
            else { throw .badResponse("no embedding in an item, or one index twice") }
        }
        guard (0..<vectors.count).allSatisfy({ vectors[$0] != nil }) else {
            throw .badResponse("embeddings with indices that are none of the input's")
        }
        return (0..<vectors.count).compactMap { vectors[$0] }
    }
}
