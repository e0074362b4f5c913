package import JSON

/// How many text tokens a request cost, and who says so.
package struct Usage: Sendable {
    /// Where the figures come from; the ledger keeps it.
    package enum Source: String, Sendable { case provider, counted, estimated }

    /// Tokens read.
    package var promptTokens: Int
    /// Tokens written, reasoning included.
    package var completionTokens: Int
    /// The provider's own total, which need not be the sum.
    package var totalTokens: Int
    /// Who counted.
    package var source: Source
    /// The provider's object as spelled, with details that we do not read.
    package var verbatim: [UInt8]?

    /// Figures of our own.
    package init(promptTokens: Int, completionTokens: Int, source: Source) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        totalTokens = promptTokens + completionTokens
        self.source = source
    }

    /// A provider's `usage` object; `nil` when it states no sensible figures.
    package init?(_ node: Node) {
        guard let prompt = count(node["prompt_tokens"]) else { return nil }
        let completion = count(node["completion_tokens"])
        guard let total = count(node["total_tokens"]) ?? completion.map({ prompt + $0 }) else {
            return nil
        }
        promptTokens = prompt
        completionTokens = completion ?? max(0, total - prompt)
        totalTokens = total
        source = .provider
        // An object that lacks a figure would break strict clients, a huge one the chunk's limit.
        let isWhole = completion != nil && node["total_tokens"] != nil && node.range.count <= 8192
        verbatim = isWhole ? Array(node.bytes) : nil
    }

    /// The object for a reply.
    package var value: Value {
        if let verbatim { return .verbatim(verbatim) }
        return [
            "prompt_tokens": .integer(promptTokens),
            "completion_tokens": .integer(completionTokens),
            "total_tokens": .integer(totalTokens),
        ]
    }
}

private func count(_ node: Node?) -> Int? {
    guard let value = node?.integer, (0...1_000_000_000_000).contains(value) else { return nil }
    return value
}

/// What a provider says about itself beside the answer, verbatim JSON.
package struct Origin: Sendable, Equatable {
    /// The `system_fingerprint` string.
    package var systemFingerprint: [UInt8]?
    /// The `service_tier` string.
    package var serviceTier: [UInt8]?

    /// Nothing known.
    package init() {}

    /// Reads the members of a completion or a chunk; strings only, of sane length.
    package init(_ root: Node) {
        systemFingerprint = shortString(root["system_fingerprint"])
        serviceTier = shortString(root["service_tier"])
    }

    /// Nothing to tell.
    package var isEmpty: Bool { self == Origin() }

    /// The members for a reply.
    package var members: [Member] {
        var members: [Member] = []
        if let systemFingerprint {
            members.append(Member("system_fingerprint", .verbatim(systemFingerprint)))
        }
        if let serviceTier { members.append(Member("service_tier", .verbatim(serviceTier))) }
        return members
    }
}

private func shortString(_ node: Node?) -> [UInt8]? {
    guard let node, node.kind == .string, node.range.count <= 256 else { return nil }
    return Array(node.bytes)
}
