/// The inside of a JSON string literal: what stands between the quotes, escapes and all. Text
/// travels in this form so that it is not decoded and encoded again.
package enum EscapedText {
    /// The literal with its quotes.
    package static func quoted(_ escaped: ArraySlice<UInt8>) -> [UInt8] {
        var literal: [UInt8] = []
        literal.reserveCapacity(escaped.count + 2)
        literal.append(quote)
        literal.append(contentsOf: escaped)
        literal.append(quote)
        return literal
    }

    /// The inside of a literal; empty when these bytes are no literal.
    package static func unquoted(_ literal: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard literal.count >= 2, literal.first == quote, literal.last == quote else { return [] }
        return literal.dropFirst().dropLast()
    }

    /// Cuts into pieces of at most `limit` bytes (at least 16) without dividing a character, an
    /// escape or a pair of surrogates. Expects valid text.
    package static func pieces(_ escaped: ArraySlice<UInt8>, limit: Int) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = escaped.startIndex
        var end = start
        while end < escaped.endIndex {
            let next = min(end + unit(escaped[end...]), escaped.endIndex)
            if next - start > max(limit, 16), end > start {
                pieces.append(escaped[start..<end])
                start = end
            }
            end = next
        }
        if start < end { pieces.append(escaped[start..<end]) }
        return pieces
    }

    /// The length of the character at the start of these bytes.
    private static func unit(_ rest: ArraySlice<UInt8>) -> Int {
        guard let first = rest.first else { return 1 }
        switch first {
        case backslash:
            guard rest.dropFirst().first == UInt8(ascii: "u") else { return 2 }
            let high = rest.dropFirst(2).prefix(2)
            let isHighSurrogate =
                high.first.map { $0 | 0x20 } == UInt8(ascii: "d")
                && high.last.map { "89abAB".utf8.contains($0) } == true
            let isPair = isHighSurrogate && rest.dropFirst(6).first == backslash
            return isPair ? 12 : 6
        case 0xF0...: return 4
        case 0xE0...: return 3
        case 0xC0...: return 2
        default: return 1
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
}
