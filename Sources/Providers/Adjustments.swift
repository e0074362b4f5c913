import JSON
import OpenAI

/// What a model's configuration changes in the caller's parameters: first `drop`, then `rename`,
/// then `defaults` for what is still absent.
package struct Adjustments: Sendable {
    /// Members that the provider must not see.
    package var drop: [String] = []
    /// Members that the provider calls otherwise, for example `max_tokens`. Where both names are
    /// present, the provider's own wins.
    package var rename: [(from: String, to: String)] = []
    /// Members for callers who do not give them; values are JSON.
    package var defaults: [(key: String, value: [UInt8])] = []

    /// No change.
    package init() {}

    /// The tools among the defaults.
    var toolNames: Set<String> {
        guard let tools = defaults.first(where: { $0.key == "tools" })?.value,
            let list = try? Document(tools).root
        else { return [] }
        return Set(list.elements.compactMap { $0["function"]?["name"]?.string })
    }

    /// The changes as edits of this request.
    func edits(for request: ChatCompletionRequest) -> [Edit] {
        var edits = drop.map(Edit.remove)
        var present = Set(request.document.root.members.filter { !$0.value.isNull }.map(\.key))
        present.subtract(drop)
        for (from, to) in rename where present.contains(from) {
            edits.append(present.contains(to) ? .remove(from) : .rename(from, to: to))
            present.remove(from)
            present.insert(to)
        }
        for (key, value) in defaults where !present.contains(key) { edits.append(.set(key, value)) }
        return edits
    }

    /// The request with the changes made, for a wire that is not made by edits.
    func applied(to request: ChatCompletionRequest) throws(APIError) -> ChatCompletionRequest {
        let edits = edits(for: request)
        guard !edits.isEmpty else { return request }
        return try ChatCompletionRequest(request.document.root.editing(edits))
    }
}
