/// Follows the lengths of name-value pairs (specification 1.0, section 3.4), because libfcgi believes them: it
/// allocates what a length says, up to 2 GiB, before it looks whether so much follows.
struct PairScanner: Sendable {
    /// The longest name or value.
    private let limit: Int
    /// Bytes of the current pair's name and value that are still to come.
    private var pending = 0
    /// A length of four bytes of which some are still to come.
    private var partial = (value: 0, missing: 0)
    /// The name's length where the value's is next.
    private var nameLength: Int?

    init(limit: Int) {
        self.limit = limit
    }

    /// True between two pairs.
    var isWhole: Bool { pending == 0 && partial.missing == 0 && nameLength == nil }

    /// Takes bytes that continue the stream of parameters.
    mutating func scan(_ bytes: Span<UInt8>) throws(RecordScanner.Refusal) {
        var position = 0
        while position < bytes.count {
            let skipped = min(pending, bytes.count - position)
            pending -= skipped
            position += skipped
            guard position < bytes.count else { return }
            try take(Int(bytes[position]))
            position += 1
        }
    }

    /// One byte of a length: the first one of four has its highest bit set.
    private mutating func take(_ byte: Int) throws(RecordScanner.Refusal) {
        if partial.missing > 0 {
            partial = (partial.value << 8 | byte, partial.missing - 1)
        } else {
            partial = byte < 128 ? (byte, 0) : (byte & 127, 3)
        }
        guard partial.missing == 0 else { return }
        guard partial.value <= limit else { throw .parametersTooLarge }
        if let name = nameLength {
            pending = name + partial.value
            nameLength = nil
        } else {
            nameLength = partial.value
        }
    }
}
