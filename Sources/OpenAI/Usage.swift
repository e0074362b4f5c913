package import JSON

/// How many text tokens a request cost, and who says so.
package struct Usage: Sendable {
    /// Where the figures come from; the ledger keeps it.
    package enum Source: String, Sendable { case provider, counted, estimated }

    /// Tokens read.
    package let promptTokens: Int
    /// Tokens written, reasoning included.
    package let completionTokens: Int
    /// The provider's own total, which need not be the sum.
    package private(set) var totalTokens: Int
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
        verbatim = isWhole ? node.editing(detailNames.compactMap { Self.mend(node, $0) }) : nil
    }

    /// Details that are no object of counts, as some providers have `null`, are none.
    private static func mend(_ usage: Node, _ name: String) -> Edit? {
        guard let details = usage[name] else { return nil }
        guard details.kind == .object else { return .remove(name) }
        let strays = details.members.filter { $0.value.integer == nil }.map { Edit.remove($0.key) }
        return strays.isEmpty ? nil : .set(name, details.editing(strays))
    }

    /// The figures of two calls together, without details. An estimate in it makes the sum one.
    package static func + (one: Usage, other: Usage) -> Usage {
        let sources = [one.source, other.source]
        var sum = Usage(
            promptTokens: one.promptTokens + other.promptTokens,
            completionTokens: one.completionTokens + other.completionTokens,
            source: [.estimated, .counted].first(where: sources.contains) ?? .provider)
        sum.totalTokens = one.totalTokens + other.totalTokens
        return sum
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

private let detailNames = ["prompt_tokens_details", "completion_tokens_details"]

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

    /// Reads the members of a completion or a chunk; strings only, of sane length, and tiers that OpenAI has.
    package init(_ root: Node) {
        systemFingerprint = shortString(root["system_fingerprint"])
        serviceTier = shortString(root["service_tier"], of: tiers)
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

/// The tiers that clients know.
private let tiers = ["auto", "default", "flex", "scale", "priority", "fast"]

private func shortString(_ node: Node?, of words: [String]? = nil) -> [UInt8]? {
    guard let node, node.kind == .string, node.range.count <= 256 else { return nil }
    if let words, let text = node.string, !words.contains(text) { return nil }
    return Array(node.bytes)
}
