package import JSON

/// Up to 16 names with a text each, by which a caller finds a stored object again.
package struct Metadata: Sendable {
    /// In the caller's order.
    package let pairs: [(key: String, value: String)]
    /// The object as the caller spelled it.
    private let spelling: [UInt8]?

    /// No names.
    package static let none = Metadata(checked: [], spelling: nil)

    /// The object that a body holds as `metadata`; `null` is none. Throws with the path of what is wrong.
    package init(_ node: Node) throws(APIError) {
        if node.isNull {
            self = .none
        } else {
            try self.init(RequestField(node: node, path: "metadata"))
        }
    }

    init(_ field: RequestField) throws(APIError) {
        try field.requireObject()
        // Before a copy is made of very many.
        guard field.node.count <= Self.most else { throw Self.tooMany }
        var pairs: [(key: String, value: String)] = []
        for (key, value) in try field.members() { pairs.append((key, try value.string())) }
        try Self.check(pairs)
        self.init(checked: pairs, spelling: Array(field.node.bytes))
    }

    /// Names and texts to look for, as a query has them. Throws what a body with them would.
    package init(_ pairs: [(key: String, value: String)]) throws(APIError) {
        try Self.check(pairs)
        self.init(checked: pairs, spelling: nil)
    }

    private init(checked pairs: [(key: String, value: String)], spelling: [UInt8]?) {
        self.pairs = pairs
        self.spelling = spelling
    }

    /// The object for a reply, as the caller spelled it.
    package var value: Value { spelling.map(Value.verbatim) ?? plain }

    /// The object in one spelling, for comparison.
    package var plain: Value { .object(pairs.map { Member($0.key, .string($0.value)) }) }

    private static let most = 16
    private static let tooMany = APIError.invalidValue(
        "metadata", "it may hold at most \(most) members")

    private static func check(_ pairs: [(key: String, value: String)]) throws(APIError) {
        guard pairs.count <= most else { throw tooMany }
        for (key, value) in pairs {
            guard key.unicodeScalars.count <= 64 else {
                throw .invalidValue("metadata", "a key may have at most 64 characters")
            }
            guard value.unicodeScalars.count <= 512 else {
                throw .invalidValue("metadata.\(key)", "it may have at most 512 characters")
            }
            guard !(key + value).unicodeScalars.contains("\0") else {
                throw .invalidValue("metadata", "it may not hold the character U+0000")
            }
        }
    }
}
