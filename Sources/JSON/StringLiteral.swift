/// Strings between their text and their JSON spelling.
package enum StringLiteral {
    /// A text as a JSON string with its quotes, encoded by jansson; UTF-8 stays UTF-8.
    package static func encode(_ text: String) -> [UInt8] { Value.string(text).encoded() }

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
