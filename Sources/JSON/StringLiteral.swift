/// Strings between their text and their JSON spelling.
package enum StringLiteral {
    /// A text as a JSON string with its quotes; UTF-8 stays UTF-8.
    package static func encode(_ text: String) -> [UInt8] {
        var literal: [UInt8] = []
        encode(text, into: &literal)
        return literal
    }

    /// Appends what `encode` returns. What needs an escape is encoded by jansson; most texts need none and are their
    /// own spelling.
    package static func encode(_ text: String, into output: inout [UInt8]) {
        guard isPlain(text.utf8.span) else { return Jansson.encode(.string(text), into: &output) }
        output.append(.quote)
        output.append(contentsOf: text.utf8)
        output.append(.quote)
    }

    /// Whether there is nothing but printable ASCII without quote and backslash.
    private static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            if !text[index].isPlain { return false }
        }
        return true
    }

    /// The text of a JSON string with its quotes; nil if it is not exactly one valid string.
    package static func decode(_ literal: some Collection<UInt8>) -> String? {
        let bytes = Array(literal)
        guard bytes.first == .quote, let scanned = try? Grammar.string(bytes.span, at: 0),
            scanned.end == bytes.count
        else { return nil }
        return String(
            decoding: Escapes.decode(bytes.span, 1..<bytes.count - 1), as: UTF8.self)
    }

    /// The text of a JSON string given without its quotes, as `OrdinaryChunk` finds it; nil if invalid.
    package static func decode(content: some Collection<UInt8>) -> String? {
        decode([.quote] + Array(content) + [.quote])
    }
}
