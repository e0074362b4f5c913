/// Reads one JSON text into a tape of entries. An explicit stack, so that depth costs no call stack.
struct Parser {
    private let limits: Limits
    private(set) var tape: [Entry] = []
    /// The containers that are open: their tape indices, and how many members those have that are objects.
    private var open: [(container: Int, members: Int)] = []
    private var values = 0
    private var offset = 0

    /// One value or key on the tape: 12 bytes.
    ///
    /// Its kind is told by the text's byte at `start`, and behind a container stands its content: for an
    /// object key, value, key, value…
    struct Entry: Sendable {
        var start: UInt32
        var end: UInt32
        /// Of a container: the tape index behind its content. Of a string: 1 if it has escapes.
        var link: UInt32 = 0
    }

    init(_ limits: Limits) {
        self.limits = limits
        open.reserveCapacity(min(max(limits.depth, 0), 64))
    }

    mutating func parse(_ bytes: Span<UInt8>) throws(ParseError) {
        guard bytes.count <= UInt32.max else { throw ParseError(.tooLarge, at: 0) }
        skipWhitespace(bytes)
        guard offset < bytes.count else { throw ParseError(.empty, at: 0) }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw ParseError(.byteOrderMark, at: 0)
        }
        try value(bytes)
        while let container = open.last?.container {
            if bytes[Int(tape[container].start)] == .openingBrace {
                try member(bytes, of: container)
            } else {
                try element(bytes, of: container)
            }
        }
        skipWhitespace(bytes)
        guard offset == bytes.count else { throw ParseError(.trailingCharacters, at: offset) }
    }

    /// The next member of an object, or its end.
    private mutating func member(
        _ bytes: Span<UInt8>, of container: Int
    ) throws(ParseError) {
        guard try !isClosed(bytes, container, by: .closingBrace) else { return }
        guard try peek(bytes) == .quote else { throw ParseError(.unexpectedCharacter, at: offset) }
        open[open.count - 1].members += 1
        guard open[open.count - 1].members <= limits.members else {
            throw ParseError(.tooManyMembers, at: offset, limit: limits.members)
        }
        try string(bytes)
        skipWhitespace(bytes)
        guard try peek(bytes) == .colon else { throw ParseError(.unexpectedCharacter, at: offset) }
        offset += 1
        skipWhitespace(bytes)
        try value(bytes)
    }

    /// The next element of an array, or its end.
    private mutating func element(
        _ bytes: Span<UInt8>, of container: Int
    ) throws(ParseError) {
        guard try !isClosed(bytes, container, by: .closingBracket) else { return }
        try value(bytes)
    }

    /// Takes the closing byte, or the comma that is due before all items but the first.
    private mutating func isClosed(
        _ bytes: Span<UInt8>, _ container: Int, by closing: UInt8
    ) throws(ParseError) -> Bool {
        skipWhitespace(bytes)
        let byte = try peek(bytes)
        if byte == closing {
            offset += 1
            try close(bytes, container)
            return true
        }
        guard tape.count > container + 1 else { return false }
        guard byte == .comma else { throw ParseError(.unexpectedCharacter, at: offset) }
        offset += 1
        skipWhitespace(bytes)
        return false
    }

    private mutating func close(
        _ bytes: Span<UInt8>, _ container: Int
    ) throws(ParseError) {
        tape[container].end = UInt32(offset)
        tape[container].link = UInt32(tape.count)
        if limits.refusesDuplicateKeys, bytes[Int(tape[container].start)] == .openingBrace,
            let key = DuplicateKeys.find(in: bytes, tape, object: container)
        {
            let path = Path(to: key, through: open.map(\.container), in: bytes, tape)
            throw ParseError(.duplicateKey, at: Int(tape[key].start), path: path.text)
        }
        open.removeLast()
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(ParseError) {
        let byte = try peek(bytes)
        values += 1
        guard values <= limits.values else {
            throw ParseError(.tooManyValues, at: offset, limit: limits.values)
        }
        switch byte {
        case .quote:
            try string(bytes)
        case .openingBrace, .openingBracket:
            guard open.count < limits.depth else {
                throw ParseError(.tooDeep, at: offset, limit: limits.depth)
            }
            open.append((tape.count, 0))
            push(end: offset + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            push(end: try Grammar.number(bytes, at: offset))
        default:
            push(end: try Grammar.word(bytes, at: offset))
        }
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(ParseError) {
        let literal = try Grammar.string(bytes, at: offset)
        push(end: literal.end, link: literal.hasEscapes ? 1 : 0)
    }

    private mutating func push(end: Int, link: UInt32 = 0) {
        tape.append(Entry(start: UInt32(offset), end: UInt32(end), link: link))
        offset = end
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        offset = Grammar.afterWhitespace(bytes, from: offset)
    }

    private func peek(_ bytes: Span<UInt8>) throws(ParseError) -> UInt8 {
        guard offset < bytes.count else { throw ParseError(.unexpectedEnd, at: offset) }
        return bytes[offset]
    }
}
