/// Where a value stands, written as a caller would: `messages[0].role`.
struct Path {
    private(set) var text = ""
    private var isAtRoot = true

    /// The path to the key at a tape index, through containers that hold each other, the outermost first. Only for
    /// a text that is read up to this key's object: what is open is the last value in its container.
    init(to key: Int, through open: [Int], in bytes: Span<UInt8>, _ tape: [Parser.Entry]) {
        for (container, content) in zip(open, open.dropFirst()) {
            if bytes[Int(tape[container].start)] == .openingBrace {
                append(tape[content - 1], bytes)
            } else {
                text += "[\(Self.position(of: content, in: container, bytes, tape))]"
                isAtRoot = false
            }
        }
        append(tape[key], bytes)
    }

    private mutating func append(_ key: Parser.Entry, _ bytes: Span<UInt8>) {
        let name = Escapes.decode(bytes, Int(key.start) + 1..<Int(key.end) - 1)
        text += (isAtRoot ? "" : ".") + String(decoding: name, as: UTF8.self)
        isAtRoot = false
    }

    /// How many elements of an array precede the one at a tape index.
    private static func position(
        of element: Int, in array: Int, _ bytes: Span<UInt8>, _ tape: [Parser.Entry]
    ) -> Int {
        var (index, count) = (array + 1, 0)
        while index < element {
            index = DuplicateKeys.following(index, in: bytes, tape)
            count += 1
        }
        return count
    }
}
