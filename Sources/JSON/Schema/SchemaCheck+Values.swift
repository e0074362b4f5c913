/// Keywords about the value as it stands: its type, and which values, numbers and texts are allowed.
extension SchemaCheck {
    mutating func typeFault(_ value: Node, _ keyword: Node) throws(Surrender) -> SchemaFault? {
        var words: [String] = []
        let isList = keyword.kind == .array
        for node in isList ? Array(keyword.elements.prefix(64)) : [keyword] {
            try spend(on: node.range.count)
            // An unknown name cannot be judged.
            guard let name = node.string, let word = Self.words[name] else {
                hasPassedOver = true
                return nil
            }
            if try isOf(value, name) { return nil }
            words.append(word)
        }
        return words.isEmpty ? nil : SchemaFault("must be \(words.joined(separator: " or "))")
    }

    private static let words = [
        "null": "null", "boolean": "true or false", "integer": "an integer", "number": "a number",
        "string": "a string", "array": "an array", "object": "an object",
    ]

    private mutating func isOf(_ value: Node, _ name: String) throws(Surrender) -> Bool {
        switch value.kind {
        case .null: name == "null"
        case .boolean: name == "boolean"
        case .string: name == "string"
        case .array: name == "array"
        case .object: name == "object"
        case .number: name == "integer" ? try isInteger(value) : name == "number"
        }
    }

    private mutating func isInteger(_ value: Node) throws(Surrender) -> Bool {
        try spend(on: Self.costOfNumber + value.range.count)
        return try number(value).isInteger
    }

    mutating func enumFault(_ value: Node, _ keyword: Node) throws(Surrender) -> SchemaFault? {
        guard keyword.kind == .array else { return nil }
        var allowed: [String] = []
        for candidate in keyword.elements {
            if try areEqual(value, candidate) { return nil }
            if allowed.count <= Self.mostToldValues { allowed.append(Self.spelled(candidate)) }
        }
        guard allowed.count <= Self.mostToldValues else {
            return SchemaFault("must be one of the values in enum")
        }
        return SchemaFault("must be \(allowed.joined(separator: " or "))")
    }

    func mustBe(_ wanted: Node) -> SchemaFault { SchemaFault("must be \(Self.spelled(wanted))") }

    private static let mostToldValues = 12

    private static func spelled(_ value: Node) -> String {
        let start = String(decoding: value.bytes.prefix(60), as: UTF8.self)
        return value.range.count > 60 ? start + "…" : start
    }

    mutating func numberFault(
        _ value: Node, _ key: String, _ keyword: Node
    ) throws(Surrender) -> SchemaFault? {
        guard keyword.kind == .number else { return nil }
        try spend(on: Self.costOfNumber + value.range.count + keyword.range.count)
        let (given, bound) = (try number(value), try number(keyword))
        let text = Self.spelled(keyword)
        switch key {
        case "minimum": return given < bound ? SchemaFault("must be at least \(text)") : nil
        case "maximum": return given > bound ? SchemaFault("must be at most \(text)") : nil
        case "exclusiveMinimum":
            return given <= bound ? SchemaFault("must be more than \(text)") : nil
        case "exclusiveMaximum":
            return given >= bound ? SchemaFault("must be less than \(text)") : nil
        default:
            guard bound.isPositive else { return nil }
            try spend(on: ExactNumber.greatestExponent)
            guard let isMultiple = given.isMultiple(of: bound) else { throw .absurdNumber }
            return isMultiple ? nil : SchemaFault("must be a multiple of \(text)")
        }
    }

    mutating func lengthFault(
        _ value: Node, _ key: String, _ keyword: Node
    ) throws(Surrender) -> SchemaFault? {
        try spend(on: value.range.count)
        // Every scalar has one byte that continues none.
        let length = value.text.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return countFault(length, "characters", isLeast: key == "minLength", keyword)
    }

    /// For keywords that bound a count.
    func countFault(
        _ count: Int, _ things: String, isLeast: Bool, _ keyword: Node
    ) -> SchemaFault? {
        guard keyword.kind == .number, let bound = keyword.integer else { return nil }
        if isLeast {
            return count < bound ? SchemaFault("must have at least \(bound) \(things)") : nil
        }
        return count > bound ? SchemaFault("must have at most \(bound) \(things)") : nil
    }
}
