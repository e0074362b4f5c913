/// Well-formed UTF-8 beyond ASCII, by table 3-7 of the Unicode standard.
enum UTF8Sequence {
    /// Offset behind the sequence that begins at `start`.
    static func end(_ bytes: Span<UInt8>, at start: Int) throws(ParseError) -> Int {
        let lead = bytes[start]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: throw ParseError(.invalidUTF8, at: start)
        }
        guard start + length <= bytes.count, second.contains(bytes[start + 1]) else {
            throw ParseError(.invalidUTF8, at: start)
        }
        for offset in start + 2..<start + length where bytes[offset] & 0xC0 != 0x80 {
            throw ParseError(.invalidUTF8, at: start)
        }
        return start + length
    }
}
