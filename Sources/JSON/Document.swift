/// Bounds on what a document may hold.
package struct Limits: Sendable {
    /// Arrays and objects within each other, at most.
    package var depth = 64
    /// Values in the whole document, at most; keys are not counted.
    package var values = 1_000_000
    /// Members of one object, at most: whoever reads an object looks through it for each name.
    package var members = 50_000
    /// Whether two members of one object may not have the same key.
    package var refusesDuplicateKeys = true

    /// The defaults: depth 64, a million values, 50,000 members of an object, duplicate keys refused.
    package init(depth: Int = 64, values: Int = 1_000_000, refusesDuplicateKeys: Bool = true) {
        self.depth = depth
        self.values = values
        self.refusesDuplicateKeys = refusesDuplicateKeys
    }
}

/// A JSON text that was validated by RFC 8259, and an index to its values.
///
/// The text stays as it came: order, unknown members, spelling of numbers. The index takes 12 bytes a
/// value or key, so that a document of ordinary strings needs little more than its text. A string may
/// escape a surrogate that has no other half; it then decodes to U+FFFD.
package struct Document: Sendable {
    let storage: Storage

    /// What a document and its nodes share.
    final class Storage: Sendable {
        let bytes: [UInt8]
        let tape: [Parser.Entry]

        init(_ bytes: [UInt8], _ tape: [Parser.Entry]) {
            self.bytes = bytes
            self.tape = tape
        }
    }

    /// Validates and indexes a UTF-8 text of at most 4 GiB.
    package init(_ bytes: [UInt8], limits: Limits = Limits()) throws(ParseError) {
        var parser = Parser(limits)
        try parser.parse(bytes.span)
        storage = Storage(bytes, parser.tape)
    }

    /// The whole text, as it was given.
    package var bytes: [UInt8] { storage.bytes }

    /// The value of the text.
    package var root: Node { Node(storage, 0) }
}
