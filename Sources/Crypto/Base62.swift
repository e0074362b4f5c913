/// Numbers in the digits `0…9A…Za…z`, of a fixed width.
package enum Base62 {
    private static let digits = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A big-endian number in so many digits, with zeros in front. The width must suffice:
    /// 43 digits for 32 bytes, 6 for 4.
    package static func encode(_ number: [UInt8], width: Int) -> String {
        var rest = number
        var text = [UInt8](repeating: digits[0], count: width)
        for position in text.indices.reversed() {
            var remainder = 0
            for index in rest.indices {
                let part = remainder << 8 | Int(rest[index])
                rest[index] = UInt8(part / 62)
                remainder = part % 62
            }
            text[position] = digits[remainder]
        }
        precondition(rest.allSatisfy { $0 == 0 }, "\(width) digits are too few")
        return String(decoding: text, as: UTF8.self)
    }

    /// A 32-bit number in six digits.
    package static func encode(_ number: UInt32) -> String {
        var rest = number
        var text = [UInt8](repeating: digits[0], count: 6)
        for position in text.indices.reversed() {
            text[position] = digits[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a text, in ASCII or UTF-8, is made of these digits only.
    package static func accepts(_ text: [UInt8]) -> Bool {
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                continue
            default: return false
            }
        }
        return true
    }
}
