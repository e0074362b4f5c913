/// One change to the members of an object. Values are given as JSON.
package enum Edit: Sendable {
    /// Gives the member this value where it stands, or appends it.
    case set(String, [UInt8])
    /// Removes the member if it is there.
    case remove(String)
    /// Gives the member another key where it stands; one that had that key before is removed.
    case rename(String, to: String)
}

extension Node {
    /// A copy of an object's text with edits made in their order, everything else as it was spelled.
    ///
    /// After `set` there is one member of that key, even if there were several. The text of another
    /// kind of value is returned as it is.
    package func editing(_ edits: [Edit]) -> [UInt8] {
        guard kind == .object else { return Array(bytes) }
        var members = MemberIndices(self).enumerated().map { position, member in
            EditedMember(self, position, key: member.key, value: member.value)
        }
        for edit in edits { Self.apply(edit, to: &members) }
        return joined(members)
    }

    /// A copy of an array's text with an element (JSON) put before the one at `position`, or at the end
    /// if there is none. The text of another kind of value is returned as it is.
    package func inserting(_ element: [UInt8], at position: Int) -> [UInt8] {
        guard kind == .array else { return Array(bytes) }
        let text = storage.bytes
        if let next = self[Swift.max(position, 0)] {
            return text[range.lowerBound..<next.range.lowerBound] + element + [.comma]
                + text[next.range.lowerBound..<range.upperBound]
        }
        var last = range.lowerBound + 1
        var separator: [UInt8] = []
        for node in elements { (last, separator) = (node.range.upperBound, [.comma]) }
        return text[range.lowerBound..<last] + separator + element + text[last..<range.upperBound]
    }

    private static func apply(_ edit: Edit, to members: inout [EditedMember]) {
        switch edit {
        case .set(let key, let value):
            guard let first = members.firstIndex(where: { $0.key == Array(key.utf8) }) else {
                return members.append(EditedMember(key, value))
            }
            members[first].value = value[...]
            let kept = members[...first]
            members = kept + members[(first + 1)...].filter { $0.key != Array(key.utf8) }
        case .remove(let key):
            members.removeAll { $0.key == Array(key.utf8) }
        case .rename(let old, let new):
            guard old != new, members.contains(where: { $0.key == Array(old.utf8) }) else { return }
            members.removeAll { $0.key == Array(new.utf8) }
            for index in members.indices where members[index].key == Array(old.utf8) {
                members[index].key = Array(new.utf8)
                members[index].keySpelling = StringLiteral.encode(new)[...]
            }
        }
    }

    /// Puts members together with the blanks and commas that stood between them.
    private func joined(_ members: [EditedMember]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count + 64)
        let original = MemberIndices(self).map { Node(storage, $0.value).range.upperBound }
        let first =
            original.isEmpty ? range.upperBound - 1 : Node(storage, index + 1).range.lowerBound
        text += storage.bytes[range.lowerBound..<first]
        for (index, member) in members.enumerated() {
            if index > 0 { text += gap(before: member, original) }
            text += member.keySpelling
            text += member.colon
            text += member.value
        }
        // Not `text + …`: that would be one more copy of a large text.
        text += storage.bytes[(original.last ?? first)..<range.upperBound]
        return text
    }

    private func gap(before member: EditedMember, _ ends: [Int]) -> ArraySlice<UInt8> {
        guard let position = member.position, position > 0 else { return [.comma] }
        return storage.bytes[ends[position - 1]..<member.start]
    }
}

/// A member while an object is edited.
private struct EditedMember {
    /// The key's text, by which edits find it.
    var key: [UInt8]
    var keySpelling: ArraySlice<UInt8>
    var colon: ArraySlice<UInt8>
    var value: ArraySlice<UInt8>
    /// Place in the original object and offset of its key; nil for a new member.
    var position: Int?
    var start = 0

    init(_ object: Node, _ position: Int, key: Int, value: Int) {
        let (keyNode, valueNode) = (Node(object.storage, key), Node(object.storage, value))
        self.key = Array(keyNode.text)
        keySpelling = keyNode.bytes
        colon = object.storage.bytes[keyNode.range.upperBound..<valueNode.range.lowerBound]
        self.value = valueNode.bytes
        self.position = position
        start = keyNode.range.lowerBound
    }

    init(_ key: String, _ value: [UInt8]) {
        self.key = Array(key.utf8)
        keySpelling = StringLiteral.encode(key)[...]
        colon = [.colon]
        self.value = value[...]
    }
}
