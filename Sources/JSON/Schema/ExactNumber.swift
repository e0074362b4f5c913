/// A number by its value and not by its spelling: `1`, `1.0` and `10e-1` are one, and no digit is lost.
struct ExactNumber: Hashable {
    /// Powers of ten beyond are nobody's data.
    static let greatestExponent = 1000
    /// Digits of a divisor, so that a remainder fits into 64 bits.
    private static let longestDivisor = 18

    private let isNegative: Bool
    /// 0 to 9, without zeros at either end; none for zero.
    private let digits: [UInt8]
    /// The value is `0.digits` times ten to this.
    private let exponent: Int

    /// Nil for a spelling that is no number of JSON, or whose exponent is absurd.
    init?(_ spelling: ArraySlice<UInt8>) {
        var rest = spelling
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        let mantissa = rest.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        var power = 0
        if mantissa.endIndex < rest.endIndex {
            let text = String(decoding: rest[(mantissa.endIndex + 1)...], as: UTF8.self)
            let range = -Self.greatestExponent...Self.greatestExponent
            guard let given = Int(text), range.contains(given) else { return nil }
            power = given
        }
        let whole = mantissa.prefix { $0.isDigit }
        let all = mantissa.filter { $0 != UInt8(ascii: ".") }
        guard all.allSatisfy(\.isDigit), !whole.isEmpty else { return nil }
        let significant = all.drop { $0 == UInt8(ascii: "0") }
        let length = significant.lastIndex { $0 != UInt8(ascii: "0") }
        digits = length.map { significant[...$0].map { $0 - UInt8(ascii: "0") } } ?? []
        self.isNegative = isNegative && !digits.isEmpty
        exponent = digits.isEmpty ? 0 : whole.count + power - (all.count - significant.count)
    }

    /// Has no fraction.
    var isInteger: Bool { digits.count <= exponent || digits.isEmpty }

    /// More than zero.
    var isPositive: Bool { !isNegative && !digits.isEmpty }

    /// Whether it is a whole number of times the divisor, which must be positive; nil where that takes too much.
    func isMultiple(of divisor: ExactNumber) -> Bool? {
        // Both times ten to the power that makes the divisor an integer.
        let scale = max(0, divisor.digits.count - divisor.exponent)
        guard (1...Self.longestDivisor).contains(divisor.exponent + scale),
            exponent + scale <= 2 * Self.greatestExponent
        else { return nil }
        if digits.isEmpty { return true }
        guard digits.count <= exponent + scale else { return false }
        let modulus = divisor.padded(to: divisor.exponent + scale).reduce(UInt64(0)) {
            $0 * 10 + UInt64($1)
        }
        return padded(to: exponent + scale).reduce(0) { ($0 * 10 + UInt64($1)) % modulus } == 0
    }

    private func padded(to length: Int) -> [UInt8] {
        digits + [UInt8](repeating: 0, count: max(0, length - digits.count))
    }
}

extension ExactNumber: Comparable {
    static func < (one: ExactNumber, other: ExactNumber) -> Bool {
        if one.isNegative != other.isNegative { return one.isNegative }
        return one.isNegative ? other.isNearerZero(than: one) : one.isNearerZero(than: other)
    }

    private func isNearerZero(than other: ExactNumber) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return !other.digits.isEmpty && digits.isEmpty }
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}
