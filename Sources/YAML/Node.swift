/// A value in a YAML document that knows where it stands.
package struct Node: Sendable {
    /// What a value is. Keys and elements keep their order.
    package enum Content: Sendable {
        /// A text; `quoted` if by quotes or as a block, so that it can only be a string.
        case scalar(String, quoted: Bool)
        case sequence([Node])
        /// Keys are scalars and differ.
        case mapping([(key: Node, value: Node)])
    }

    /// The value.
    package var content: Content
    /// Line of its first character, from 1.
    package var line: Int
    /// Column of its first character, from 1.
    package var column: Int

    /// A value with its place.
    package init(_ content: Content, line: Int, column: Int) {
        self.content = content
        self.line = line
        self.column = column
    }
}

extension Node {
    /// The value of a mapping's key; nil if absent or not a mapping.
    package subscript(_ key: String) -> Node? {
        guard case .mapping(let members) = content else { return nil }
        return members.first { $0.key.text == key }?.value
    }

    /// The text of any scalar, quoted or not.
    package var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// Whether it is `null`, `~` or nothing at all (YAML 1.2 core schema).
    package var isNull: Bool { ["", "~", "null", "Null", "NULL"].contains(plain) }

    /// `true` or `false` as YAML 1.2 has them: `yes`, `on` and the like are strings.
    package var boolean: Bool? {
        switch plain {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// A decimal integer.
    package var integer: Int? { plain.flatMap { Int($0) } }

    /// A finite decimal number.
    package var number: Double? {
        guard let plain, plain.utf8.allSatisfy(Self.decimal.contains), let number = Double(plain),
            number.isFinite
        else { return nil }
        return number
    }

    private static let decimal = Array("0123456789.+-eE".utf8)

    private var plain: String? {
        guard case .scalar(let text, quoted: false) = content else { return nil }
        return text
    }
}
