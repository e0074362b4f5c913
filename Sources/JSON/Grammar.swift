/// The tokens of RFC 8259, scanned over a span. Pure: no state, no allocation.
///
/// Each function takes the offset of a token's first byte and gives the offset behind its last.
enum Grammar {
    /// A string literal that was found to be valid.
    struct Literal {
        /// Offset behind the closing quote.
        var end: Int
        /// Whether there is a backslash in it, so that its text differs from its spelling.
        var hasEscapes = false
        /// Whether it holds `\uD800`…`\uDFFF`, paired or not.
        var hasSurrogates = false
    }

    static func afterWhitespace(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var offset = start
        while offset < bytes.count {
            switch bytes[offset] {
            case .space, .lineFeed, .carriageReturn, .tab: offset += 1
            default: return offset
            }
        }
        return offset
    }

    /// `true`, `false` or `null`, whichever its first byte announces.
    static func word(_ bytes: Span<UInt8>, at start: Int) throws(ParseError) -> Int {
        switch bytes[start] {
        case UInt8(ascii: "t"): try expect("true", bytes, at: start)
        case UInt8(ascii: "f"): try expect("false", bytes, at: start)
        case UInt8(ascii: "n"): try expect("null", bytes, at: start)
        default: throw ParseError(.unexpectedCharacter, at: start)
        }
    }

    private static func expect(
        _ spelling: String, _ bytes: Span<UInt8>, at start: Int
    ) throws(ParseError) -> Int {
        var offset = start
        for byte in spelling.utf8 {
            guard offset < bytes.count else { throw ParseError(.unexpectedEnd, at: offset) }
            guard bytes[offset] == byte else { throw ParseError(.unexpectedCharacter, at: offset) }
            offset += 1
        }
        return offset
    }

    /// A number by its grammar alone: any size, any precision.
    static func number(_ bytes: Span<UInt8>, at start: Int) throws(ParseError) -> Int {
        var offset = start
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let whole = offset
        offset = try digits(bytes, from: offset)
        guard bytes[whole] != UInt8(ascii: "0") || offset == whole + 1 else {
            throw ParseError(.invalidNumber, at: whole)
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset = try digits(bytes, from: offset + 1)
        }
        guard offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") else { return offset }
        offset += 1
        if offset < bytes.count,
            bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
        {
            offset += 1
        }
        return try digits(bytes, from: offset)
    }

    private static func digits(_ bytes: Span<UInt8>, from start: Int) throws(ParseError) -> Int {
        var offset = start
        while offset < bytes.count, bytes[offset].isDigit { offset += 1 }
        guard offset > start else { throw ParseError(.invalidNumber, at: start) }
        return offset
    }

    /// A string literal from its opening quote on: UTF-8 and escapes are validated.
    static func string(_ bytes: Span<UInt8>, at start: Int) throws(ParseError) -> Literal {
        var literal = Literal(end: start + 1)
        while true {
            let offset = afterPlainText(bytes, from: literal.end)
            guard offset < bytes.count else { throw ParseError(.unterminatedString, at: start) }
            switch bytes[offset] {
            case .quote:
                literal.end = offset + 1
                return literal
            case .backslash:
                literal.end = try escape(bytes, at: offset, of: &literal)
            case 0..<0x20:
                throw ParseError(.controlCharacter, at: offset)
            default:
                literal.end = try UTF8Sequence.end(bytes, at: offset)
            }
        }
    }

    private static func escape(
        _ bytes: Span<UInt8>, at start: Int, of literal: inout Literal
    ) throws(ParseError) -> Int {
        literal.hasEscapes = true
        guard start + 1 < bytes.count else { throw ParseError(.invalidEscape, at: start) }
        switch bytes[start + 1] {
        case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard let unit = codeUnit(bytes, at: start + 2) else {
                throw ParseError(.invalidEscape, at: start)
            }
            if (0xD800..<0xE000).contains(unit) { literal.hasSurrogates = true }
            return start + 6
        default:
            throw ParseError(.invalidEscape, at: start)
        }
    }

    /// The UTF-16 code unit that four hexadecimal digits spell; nil if they are not four.
    static func codeUnit(_ bytes: Span<UInt8>, at start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for offset in start..<start + 4 {
            guard let digit = bytes[offset].hexadecimalDigit else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
