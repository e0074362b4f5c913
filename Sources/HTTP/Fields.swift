/// Header fields in the order in which they were added; names compare without ASCII case.
///
/// Values are text as received or to be sent. Nothing is checked when a field is added, so that
/// a reader can hold what a peer sent; `write(into:)` refuses what would break the message.
package struct Fields: Sendable, ExpressibleByDictionaryLiteral {
    private var entries: [(name: String, value: String)] = []

    /// No fields.
    package init() {}

    /// The fields of a literal, in its order; a name may stand there several times.
    package init(dictionaryLiteral elements: (String, String)...) {
        entries = elements.map { (name: $0.0, value: $0.1) }
    }

    /// The first value of `name`. Setting replaces all values of that name; `nil` removes them.
    package subscript(_ name: String) -> String? {
        get {
            for entry in entries where Self.same(entry.name, name) { return entry.value }
            return nil
        }
        set {
            guard let newValue else { return remove(name) }
            guard let first = entries.firstIndex(where: { Self.same($0.name, name) }) else {
                return append(name, newValue)
            }
            entries[first].value = newValue
            var index = entries.count - 1
            while index > first {
                if Self.same(entries[index].name, name) { entries.remove(at: index) }
                index -= 1
            }
        }
    }

    /// Every value of `name`, in order.
    package func values(_ name: String) -> [String] {
        entries.filter { Self.same($0.name, name) }.map(\.value)
    }

    /// Adds a field after the others, also when the name is already there.
    package mutating func append(_ name: String, _ value: String) {
        entries.append((name: name, value: value))
    }

    /// Removes every field of that name.
    package mutating func remove(_ name: String) {
        entries.removeAll { Self.same($0.name, name) }
    }

    private static func same(_ left: String, _ right: String) -> Bool {
        let left = left.utf8.span
        let right = right.utf8.span
        guard left.count == right.count else { return false }
        for index in left.indices where lowercase(left[index]) != lowercase(right[index]) {
            return false
        }
        return true
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}

extension Fields: Sequence {
    /// The fields one by one, in order.
    package func makeIterator() -> IndexingIterator<[(name: String, value: String)]> {
        entries.makeIterator()
    }

    /// The number of fields.
    package var count: Int { entries.count }

    /// Whether there is no field.
    package var isEmpty: Bool { entries.isEmpty }
}
