/// Percent-encoding (RFC 3986, section 2.1) over UTF-8.
package enum PercentEncoding {
    /// The text that `encoded` stands for; `nil` if an escape is broken or the bytes are not UTF-8.
    /// `+` stays `+`.
    package static func decode(_ encoded: some StringProtocol) -> String? {
        decode(encoded, plusIsSpace: false)
    }

    /// Every byte but the unreserved characters (letters, digits, `-._~`) as `%XX`.
    package static func encode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes += [0x25, digit(byte >> 4), digit(byte & 0xF)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func decode(_ encoded: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.utf8.count)
        var source = encoded.utf8.makeIterator()
        while let byte = source.next() {
            if byte == 0x25 {
                guard let high = source.next().flatMap(value) else { return nil }
                guard let low = source.next().flatMap(value) else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x37 + value
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}

/// The query of a URL as forms write it (`a=1&b=x+y`).
package enum Query {
    /// The pairs in order, percent-decoded, `+` read as a space. A pair without `=` has an empty
    /// value; a piece that cannot be decoded stays as it was written, so that nothing is lost.
    package static func parse(_ query: some StringProtocol) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: text(halves.first), value: text(halves.dropFirst().first))
        }
    }

    private static func text(_ piece: (some StringProtocol)?) -> String {
        guard let piece else { return "" }
        return PercentEncoding.decode(piece, plusIsSpace: true) ?? String(piece)
    }
}
