/// The six kinds of value that JSON has.
package enum Kind: Sendable { case null, boolean, number, string, array, object }

/// One value in a document: a view that keeps its document alive.
package struct Node: Sendable {
    let storage: Document.Storage
    let index: Int

    init(_ storage: Document.Storage, _ index: Int) {
        self.storage = storage
        self.index = index
    }

    private var entry: Parser.Entry { storage.tape[index] }

    /// What the value is.
    package var kind: Kind {
        switch storage.bytes[Int(entry.start)] {
        case .openingBrace: .object
        case .openingBracket: .array
        case .quote: .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// Where the value stands in the document's text, in bytes; with quotes or brackets.
    package var range: Range<Int> { Int(entry.start)..<Int(entry.end) }

    /// The value as it is spelled in the document.
    package var bytes: ArraySlice<UInt8> { storage.bytes[range] }

    /// Whether the value is `null`.
    package var isNull: Bool { kind == .null }

    /// The value of `true` or `false`; nil for other kinds.
    package var boolean: Bool? {
        kind == .boolean ? storage.bytes[Int(entry.start)] == UInt8(ascii: "t") : nil
    }

    /// The text of a string with its escapes undone; nil for other kinds.
    package var string: String? {
        guard kind == .string else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// A string's text as UTF-8, its escapes undone; a view of the document where there are none. Only for strings.
    package var text: ArraySlice<UInt8> {
        let content = range.lowerBound + 1..<range.upperBound - 1
        guard entry.link != 0 else { return storage.bytes[content] }
        let bytes = storage.bytes
        return Escapes.decode(bytes.span, content)[...]
    }

    /// The members' or elements' count; 0 for other kinds.
    package var count: Int {
        switch kind {
        case .array: elements.reduce(0) { count, _ in count + 1 }
        case .object: MemberIndices(self).reduce(0) { count, _ in count + 1 }
        default: 0
        }
    }

    /// The member of an object by its key, byte for byte; nil if absent or not an object.
    /// Of equal keys, where they were not refused, the last one counts.
    package subscript(_ key: String) -> Node? {
        var found: Node?
        for member in MemberIndices(self) where Node(storage, member.key).spells(key) {
            found = Node(storage, member.value)
        }
        return found
    }

    /// The element of an array, from 0; nil if absent or not an array.
    package subscript(_ position: Int) -> Node? {
        guard position >= 0 else { return nil }
        return elements.dropFirst(position).first { _ in true }
    }

    /// Whether a string's text is this one, byte for byte (not by canonical equivalence).
    func spells(_ key: String) -> Bool {
        let entry = entry
        guard entry.link == 0 else { return text.elementsEqual(key.utf8) }
        // Lengths differ for nearly every member that is looked at.
        guard Int(entry.end) - Int(entry.start) - 2 == key.utf8.count else { return false }
        let bytes = storage.bytes
        return Self.holds(bytes.span, at: Int(entry.start) + 1, key)
    }

    private static func holds(_ bytes: Span<UInt8>, at start: Int, _ key: String) -> Bool {
        var index = start
        for byte in key.utf8 {
            guard bytes[index] == byte else { return false }
            index += 1
        }
        return true
    }

    /// The tape index behind the value and all that it holds.
    var following: Int {
        switch kind {
        case .array, .object: Int(entry.link)
        default: index + 1
        }
    }
}
