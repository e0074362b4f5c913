extension Node {
    /// Spellings longer than this are not converted: no number of ours needs them, and the work of
    /// conversion is not linear.
    private static let longestSpelling = 1024

    /// A number as an integer: any spelling whose value is whole and fits (`3`, `3.0`, `3e2`); else nil.
    package var integer: Int? {
        guard kind == .number, range.count <= Self.longestSpelling else { return nil }
        if let integer = Int(spelling) { return integer }
        guard !bytes.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: "-") }), let number,
            number.magnitude <= 0x1p53
        else { return nil }
        let integer = Int(number)
        return Double(integer) == number ? integer : nil
    }

    /// Whether it is a number without a fraction: also one that `integer` cannot hold.
    package var isWhole: Bool {
        integer != nil || number.map { $0.rounded() == $0 } ?? false
    }

    /// A number as the nearest double; nil for other kinds and for what no finite double is near.
    package var number: Double? {
        guard kind == .number, range.count <= Self.longestSpelling,
            let number = Double(spelling), number.isFinite
        else { return nil }
        return number
    }

    private var spelling: String { String(decoding: bytes, as: UTF8.self) }
}
