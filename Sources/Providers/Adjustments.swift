package import JSON
package import OpenAI

/// What a model's configuration changes in the caller's parameters, in this order: first `defaults` for what the
/// caller did not set, then `rename`, then `drop`. `null` counts as not set.
package struct Adjustments: Sendable {
    /// Members for callers who do not give them; values are JSON. A member that the caller gives under a name which
    /// is renamed to this one counts as given.
    package var defaults: [(key: String, value: [UInt8])] = []
    /// Members that the provider calls otherwise, for example `max_tokens`. Where both names are
    /// present, the provider's own wins.
    package var rename: [(from: String, to: String)] = []
    /// Members that the provider must not see, by the names that it would see.
    package var drop: [String] = []

    /// No change.
    package init() {}

    /// A parameter as the provider is asked for it, by the caller's name: what the caller wrote, else the default.
    package func value(_ parameter: String, in request: ChatCompletionRequest) -> Node? {
        request[parameter]
            ?? defaults.first { $0.key == parameter }
            .flatMap { try? Document($0.value).root }
    }

    /// How many choices the provider is asked for.
    package func choices(in request: ChatCompletionRequest) -> Int {
        drop.contains("n") ? 1 : value("n", in: request)?.integer ?? 1
    }

    /// The limit that the provider is told, or would be; nil when it decides.
    package func maximumTokens(in request: ChatCompletionRequest) -> Int? {
        let fallback = ["max_completion_tokens", "max_tokens"].compactMap { name in
            value(name, in: request)?.integer
        }
        return request.maximumTokens ?? fallback.first
    }

    /// The tools that are declared for the caller.
    func toolNames(in request: ChatCompletionRequest) -> Set<String> {
        guard request["tools"] == nil, let tools = value("tools", in: request) else { return [] }
        return Set(tools.elements.compactMap { ($0["custom"] ?? $0["function"])?["name"]?.string })
    }

    /// The changes as edits of this request.
    func edits(for request: ChatCompletionRequest) -> [Edit] {
        edits(for: request.document.root, defaults)
    }

    /// The changes as edits of a text completion or of embeddings: all but the defaults, which are a chat's.
    func edits(forOther root: Node) -> [Edit] {
        edits(for: root, [])
    }

    private func edits(
        for root: Node, _ defaults: [(key: String, value: [UInt8])]
    ) -> [Edit] {
        var edits: [Edit] = []
        var present = Set(root.members.filter { !$0.value.isNull }.map(\.key))
        for (key, value) in defaults where !isGiven(key, present) {
            edits.append(.set(key, value))
            present.insert(key)
        }
        for (from, to) in rename {
            let isWanted = present.contains(from) && !present.contains(to)
            edits.append(isWanted ? .rename(from, to: to) : .remove(from))
            if present.remove(from) != nil { present.insert(to) }
        }
        return edits + drop.map(Edit.remove)
    }

    private func isGiven(_ key: String, _ present: Set<String>) -> Bool {
        present.contains(key) || rename.contains { $0.to == key && present.contains($0.from) }
    }

    /// The request with the changes made, for a wire that is not made by edits.
    package func applied(to request: ChatCompletionRequest) throws(APIError)
        -> ChatCompletionRequest
    {
        let edits = edits(for: request)
        let hasEffect = edits.contains { edit in
            guard case .remove(let key) = edit else { return true }
            return request.document.root[key] != nil
        }
        guard hasEffect else { return request }
        return try ChatCompletionRequest(request.document.root.editing(edits))
    }

    /// A text completion or embeddings with the changes made, for a wire that is not made by edits.
    func applied(toOther root: Node) throws(APIError) -> Node {
        let edits = edits(forOther: root)
        guard !edits.isEmpty else { return root }
        return try Document(requestBody: root.editing(edits)).root
    }
}
