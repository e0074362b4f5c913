/// A `chat.completion.chunk` of a provider that holds nothing but text for choice 0.
///
/// One pass over the bytes without allocation, because nearly every event of a stream is like this.
/// Ordinary is an object of `id`, `object`, `model` (strings), `created` (a number),
/// `system_fingerprint`, `service_tier` (null or a string), `usage` (null), and `choices` with exactly one
/// `{index: 0, delta: {role?: "assistant", content: "…"}, finish_reason?: null, logprobs?: null}`. Members may
/// come in any order, each at most once.
package struct OrdinaryChunk: Sendable {
    /// Where the content stands: the spelling of a JSON string without its quotes, valid UTF-8, valid escapes,
    /// no surrogates among them. May be empty.
    package let content: Range<Int>
    /// Where the value of `system_fingerprint` stands, without its quotes; nil if null or absent.
    package let systemFingerprint: Range<Int>?

    /// Nil means unusual in some way, not necessarily invalid: decode it properly.
    package init?(_ bytes: Span<UInt8>) {
        var scan = ChunkScan()
        guard (try? scan.chunk(bytes)) != nil, let content = scan.content else { return nil }
        self.content = content
        systemFingerprint = scan.systemFingerprint
    }
}

/// The scan's place in the bytes and what it has found. Whatever is not expected is thrown.
private struct ChunkScan {
    var content: Range<Int>?
    var systemFingerprint: Range<Int>?
    private var offset = 0
    /// One bit for each member that was seen.
    private var seen: UInt16 = 0

    private enum Name: UInt16 {
        case id, object, created, model, systemFingerprint, serviceTier, usage, choices
        case index, delta, finishReason, logprobs
        case role, content
    }

    mutating func chunk(_ bytes: Span<UInt8>) throws(ParseError) {
        try expect("{", bytes)
        repeat { try chunkMember(bytes) } while takesComma(bytes)
        try expect("}", bytes)
        skipWhitespace(bytes)
        guard offset == bytes.count else { throw surprise }
    }

    private mutating func chunkMember(_ bytes: Span<UInt8>) throws(ParseError) {
        skipWhitespace(bytes)
        if take("\"choices\"", bytes) {
            try begin(.choices, bytes)
            try expect("[", bytes)
            try choice(bytes)
            try expect("]", bytes)
        } else if take("\"id\"", bytes) {
            try begin(.id, bytes)
            _ = try string(bytes)
        } else if take("\"object\"", bytes) {
            try begin(.object, bytes)
            _ = try string(bytes)
        } else if take("\"created\"", bytes) {
            try begin(.created, bytes)
            try number(bytes)
        } else if take("\"model\"", bytes) {
            try begin(.model, bytes)
            _ = try string(bytes)
        } else if take("\"system_fingerprint\"", bytes) {
            try begin(.systemFingerprint, bytes)
            systemFingerprint = try stringOrNull(bytes)
        } else if take("\"service_tier\"", bytes) {
            try begin(.serviceTier, bytes)
            _ = try stringOrNull(bytes)
        } else if take("\"usage\"", bytes) {
            try begin(.usage, bytes)
            try expect("null", bytes)
        } else {
            throw surprise
        }
    }

    private mutating func choice(_ bytes: Span<UInt8>) throws(ParseError) {
        try expect("{", bytes)
        repeat { try choiceMember(bytes) } while takesComma(bytes)
        try expect("}", bytes)
        guard has(.index), has(.delta) else { throw surprise }
    }

    private mutating func choiceMember(_ bytes: Span<UInt8>) throws(ParseError) {
        skipWhitespace(bytes)
        if take("\"delta\"", bytes) {
            try begin(.delta, bytes)
            try delta(bytes)
        } else if take("\"index\"", bytes) {
            try begin(.index, bytes)
            try expect("0", bytes)
        } else if take("\"finish_reason\"", bytes) {
            try begin(.finishReason, bytes)
            try expect("null", bytes)
        } else if take("\"logprobs\"", bytes) {
            try begin(.logprobs, bytes)
            try expect("null", bytes)
        } else {
            throw surprise
        }
    }

    private mutating func delta(_ bytes: Span<UInt8>) throws(ParseError) {
        try expect("{", bytes)
        repeat {
            skipWhitespace(bytes)
            if take("\"content\"", bytes) {
                try begin(.content, bytes)
                content = try string(bytes)
            } else if take("\"role\"", bytes) {
                try begin(.role, bytes)
                try expect("\"assistant\"", bytes)
            } else {
                throw surprise
            }
        } while takesComma(bytes)
        try expect("}", bytes)
        guard has(.content) else { throw surprise }
    }

    // MARK: Tokens

    private var surprise: ParseError { ParseError(.unexpectedCharacter, at: offset) }

    private func has(_ name: Name) -> Bool { seen & 1 << name.rawValue != 0 }

    /// Notes the member, which may not come twice, and passes its colon.
    private mutating func begin(_ name: Name, _ bytes: Span<UInt8>) throws(ParseError) {
        guard !has(name) else { throw surprise }
        seen |= 1 << name.rawValue
        try expect(":", bytes)
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(ParseError) -> Range<Int> {
        skipWhitespace(bytes)
        guard offset < bytes.count, bytes[offset] == .quote else { throw surprise }
        let literal = try Grammar.string(bytes, at: offset)
        guard !literal.hasSurrogates else { throw surprise }
        defer { offset = literal.end }
        return offset + 1..<literal.end - 1
    }

    private mutating func stringOrNull(_ bytes: Span<UInt8>) throws(ParseError) -> Range<Int>? {
        skipWhitespace(bytes)
        return take("null", bytes) ? nil : try string(bytes)
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(ParseError) {
        skipWhitespace(bytes)
        guard offset < bytes.count else { throw surprise }
        offset = try Grammar.number(bytes, at: offset)
    }

    private mutating func takesComma(_ bytes: Span<UInt8>) -> Bool {
        skipWhitespace(bytes)
        return take(",", bytes)
    }

    private mutating func expect(_ token: StaticString, _ bytes: Span<UInt8>) throws(ParseError) {
        skipWhitespace(bytes)
        guard take(token, bytes) else { throw surprise }
    }

    /// Passes the token if it stands here. A static string's pointer is good forever, and is read
    /// within its own count.
    @inline(__always)
    private mutating func take(_ token: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = token.utf8CodeUnitCount
        guard offset &+ count <= bytes.count else { return false }
        for index in 0..<count where unsafe bytes[offset &+ index] != token.utf8Start[index] {
            return false
        }
        offset &+= count
        return true
    }

    @inline(__always)
    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        guard offset < bytes.count, bytes[offset] <= .space else { return }
        offset = Grammar.afterWhitespace(bytes, from: offset)
    }
}
