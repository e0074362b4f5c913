/// One value held against one schema, keyword by keyword. Every look at something costs a step, so that neither a
/// schema nor a value can keep the thread: what takes too many is given up.
struct SchemaCheck {
    /// Why there is no verdict.
    enum Surrender: Error {
        case tooDeep, tooLong, unknownReference, absurdNumber, passedOver

        var reason: String {
            switch self {
            case .tooDeep: "the schema refers to itself too often"
            case .tooLong: "the check takes too long"
            case .unknownReference: "the schema has a $ref to what is not in it"
            case .absurdNumber: "a number is too large to be compared"
            case .passedOver: "it depends on a keyword that is not judged"
            }
        }
    }

    /// Schemas within each other that are followed: a value has at most 64 levels, and each may pass several.
    private static let greatestDepth = 256

    private let root: Node
    private var steps: Int
    private var depth = 0
    private var references: [String: Node] = [:]
    /// Something that might have been a fault was not judged. It makes no difference where a fit is asked for, but it
    /// does where a fit is a fault.
    var hasPassedOver = false
    private var tables: [Place: [ArraySlice<UInt8>: Node]] = [:]

    private struct Place: Hashable {
        let document: ObjectIdentifier
        let index: Int
    }

    init(_ root: Node, steps: Int) {
        self.root = root
        self.steps = steps
    }

    /// The first fault that is found; nil if the value fits.
    mutating func fault(of value: Node, under schema: Node) throws(Surrender) -> SchemaFault? {
        try spend()
        guard schema.kind == .object else {
            return schema.boolean == false ? SchemaFault("is not allowed") : nil
        }
        guard depth < Self.greatestDepth else { throw .tooDeep }
        depth += 1
        defer { depth -= 1 }
        for (key, keyword) in schema.members {
            try spend(on: key.utf8.count)
            if let fault = try fault(of: value, key, keyword, in: schema) { return fault }
        }
        return nil
    }

    private mutating func fault(
        of value: Node, _ key: String, _ keyword: Node, in schema: Node
    ) throws(Surrender) -> SchemaFault? {
        switch key {
        case "$ref": try fault(of: value, under: referred(keyword))
        case "allOf": try faultInAll(value, keyword)
        case "anyOf": try faultInAny(value, keyword)
        case "oneOf": try faultInOne(value, keyword)
        case "not": try faultInNot(value, keyword)
        case "if": try faultInBranch(value, keyword, of: schema)
        case "type": try typeFault(value, keyword)
        case "enum": try enumFault(value, keyword)
        case "const": try areEqual(value, keyword) ? nil : mustBe(keyword)
        case "properties", "additionalProperties", "required", "minProperties", "maxProperties":
            value.kind == .object ? try objectFault(value, key, keyword, in: schema) : nil
        case "items", "prefixItems", "minItems", "maxItems", "uniqueItems":
            value.kind == .array ? try arrayFault(value, key, keyword, in: schema) : nil
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
            value.kind == .number ? try numberFault(value, key, keyword) : nil
        case "minLength", "maxLength":
            value.kind == .string ? try lengthFault(value, key, keyword) : nil
        default: passOver(key)
        }
    }

    private mutating func passOver(_ key: String) -> SchemaFault? {
        if !Self.annotations.contains(key) { hasPassedOver = true }
        return nil
    }

    /// Keywords that say nothing of whether a value fits, or that another keyword reads.
    private static let annotations: Set = [
        "$anchor", "$comment", "$defs", "$id", "$schema", "$vocabulary", "contentEncoding",
        "contentMediaType", "contentSchema", "default", "definitions", "deprecated", "description",
        "else", "example", "examples", "readOnly", "then", "title", "writeOnly",
    ]

    // MARK: - What it costs

    /// Bytes that are read in the time that a number takes.
    static let costOfNumber = 32

    /// A step, and one more for each sixteen bytes that are read.
    mutating func spend(on bytes: Int = 0) throws(Surrender) {
        steps -= 1 + bytes / 16
        guard steps >= 0 else { throw .tooLong }
    }

    // MARK: - What is read

    /// The members of an object by the bytes of their keys; read once for each object.
    mutating func table(of object: Node) throws(Surrender) -> [ArraySlice<UInt8>: Node] {
        let place = Place(document: ObjectIdentifier(object.storage), index: object.index)
        if let known = tables[place] { return known }
        var table: [ArraySlice<UInt8>: Node] = [:]
        for (key, value) in Node.MemberIndices(object) {
            let key = Node(object.storage, key)
            try spend(on: key.range.count)
            table[key.text] = Node(object.storage, value)
        }
        tables[place] = table
        return table
    }

    func number(_ node: Node) throws(Surrender) -> ExactNumber {
        guard let number = ExactNumber(node.bytes) else { throw .absurdNumber }
        return number
    }

    /// What a `$ref` of this schema points to: `#`, or `#/` and a JSON pointer.
    private mutating func referred(_ keyword: Node) throws(Surrender) -> Node {
        guard let text = keyword.string else { throw .unknownReference }
        if let known = references[text] { return known }
        guard text == "#" || text.hasPrefix("#/") else { throw .unknownReference }
        var node = root
        for part in text.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false)
        where text != "#" {
            let key = part.replacing("~1", with: "/").replacing("~0", with: "~")
            let next: Node?
            if node.kind == .array {
                next = Int(key).flatMap { node[$0] }
            } else {
                next = try table(of: node)[Array(key.utf8)[...]]
            }
            guard let next else { throw .unknownReference }
            node = next
        }
        references[text] = node
        return node
    }
}
