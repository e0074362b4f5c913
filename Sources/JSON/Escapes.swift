/// From the spelling of a string to its text.
enum Escapes {
    private static let replacement: Unicode.Scalar = "\u{FFFD}"

    /// The UTF-8 text of a string's content (no quotes), which the grammar has accepted.
    /// A surrogate without its other half becomes U+FFFD.
    static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = bytes[offset]
            guard byte == .backslash, offset + 1 < range.upperBound else {
                text.append(byte)
                offset += 1
                continue
            }
            guard bytes[offset + 1] == UInt8(ascii: "u") else {
                text.append(character(bytes[offset + 1]))
                offset += 2
                continue
            }
            let scalar = scalar(bytes, at: &offset, before: range.upperBound)
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return text
    }

    private static func character(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): .lineFeed
        case UInt8(ascii: "r"): .carriageReturn
        case UInt8(ascii: "t"): .tab
        default: letter
        }
    }

    /// The scalar that `\uXXXX`, or a pair of them, spells; moves `offset` behind what it took.
    private static func scalar(
        _ bytes: Span<UInt8>, at offset: inout Int, before end: Int
    ) -> Unicode.Scalar {
        let first = Grammar.codeUnit(bytes, at: offset + 2) ?? 0xFFFD
        offset = min(offset + 6, end)
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) ?? replacement }
        guard offset + 6 <= end, bytes[offset] == .backslash,
            bytes[offset + 1] == UInt8(ascii: "u"),
            let second = Grammar.codeUnit(bytes, at: offset + 2), UTF16.isTrailSurrogate(second)
        else { return replacement }
        offset += 6
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }
}
