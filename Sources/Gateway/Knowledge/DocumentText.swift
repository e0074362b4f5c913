/// What a reader makes of a file: its text, and where the paragraphs stand in it.
struct DocumentText: Sendable {
    /// A paragraph, a list, a table, a piece of code: what should stay together.
    struct Block: Sendable, Equatable {
        /// The headings above it, outermost first.
        var headings: [String]
        /// Bytes of `utf8`.
        var bytes: Range<Int>
    }

    /// Code between fences, or the rows of a table: what cannot be read without the lines above it.
    struct Enclosure: Sendable, Equatable {
        /// These lines: the fence, or the headings with the rule below them.
        var opening: Range<Int>
        /// All after them, a closing fence included.
        var bytes: Range<Int>
    }

    /// What the document calls itself.
    var title: String?
    /// The whole text; lines end with LF.
    var utf8: [UInt8]
    /// In order, apart, never empty, always on borders of characters.
    var blocks: [Block] = []
    /// In order, apart.
    var enclosures: [Enclosure] = []

    /// The text of these bytes.
    func text(_ bytes: Range<Int>) -> String {
        String(decoding: utf8[bytes], as: UTF8.self)
    }
}

/// Why a file is not taken in.
struct UnreadableDocument: Error, CustomStringConvertible {
    /// For the person who named the file.
    let description: String
}

/// The formats that can be read, by the end of the file's name.
enum DocumentReader: Sendable {
    case markdown
    case plain
    case html

    /// nil: a file of this name is none of ours.
    init?(name: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "md", "markdown": self = .markdown
        case "txt", "text": self = .plain
        case "html", "htm": self = .html
        default: return nil
        }
    }

    /// Reads a file's bytes.
    func read(_ bytes: [UInt8]) throws(UnreadableDocument) -> DocumentText {
        switch self {
        case .markdown: MarkdownReader.read(try Self.text(bytes))
        case .plain: PlainTextReader.read(try Self.text(bytes))
        case .html: try HTMLReader.read(bytes)
        }
    }

    /// UTF-8 without a byte order mark, every line end LF.
    static func text(_ bytes: [UInt8]) throws(UnreadableDocument) -> [UInt8] {
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard !body.contains(0) else { throw UnreadableDocument(description: "is not text") }
        guard String(validating: body, as: UTF8.self) != nil else {
            throw UnreadableDocument(description: "is not UTF-8")
        }
        guard body.contains(ASCII.carriageReturn) else { return Array(body) }
        var text: [UInt8] = []
        text.reserveCapacity(body.count)
        for index in body.indices {
            if body[index] != ASCII.carriageReturn {
                text.append(body[index])
            } else if body.index(after: index) == body.endIndex || body[index + 1] != ASCII.lineFeed
            {
                text.append(ASCII.lineFeed)
            }
        }
        return text
    }
}

/// Bytes with a meaning to the readers.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || (tab...carriageReturn).contains(byte)
    }
}

/// The lines of a text as ranges of bytes, without their ends.
struct Lines: Sequence, IteratorProtocol {
    private let utf8: [UInt8]
    private var position: Int

    init(of utf8: [UInt8], from start: Int = 0) {
        self.utf8 = utf8
        position = start
    }

    mutating func next() -> Range<Int>? {
        guard position < utf8.count else { return nil }
        let end = utf8[position...].firstIndex(of: ASCII.lineFeed) ?? utf8.count
        defer { position = end + 1 }
        return position..<end
    }
}
