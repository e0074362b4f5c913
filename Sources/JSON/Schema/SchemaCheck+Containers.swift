/// Keywords about what objects and arrays hold.
extension SchemaCheck {
    mutating func objectFault(
        _ value: Node, _ key: String, _ keyword: Node, in schema: Node
    ) throws(Surrender) -> SchemaFault? {
        switch key {
        case "properties": return try propertiesFault(value, keyword)
        case "additionalProperties": return try additionalFault(value, keyword, in: schema)
        case "required": return try requiredFault(value, keyword)
        default:
            let count = try table(of: value).count
            return countFault(count, "members", isLeast: key == "minProperties", keyword)
        }
    }

    private mutating func propertiesFault(
        _ value: Node, _ properties: Node
    ) throws(Surrender) -> SchemaFault? {
        let schemas = try table(of: properties)
        for (key, member) in Node.MemberIndices(value) {
            let name = Node(value.storage, key)
            try spend(on: name.range.count)
            guard let schema = schemas[name.text],
                let fault = try fault(of: Node(value.storage, member), under: schema)
            else { continue }
            return fault.inside(name.text)
        }
        return nil
    }

    private mutating func additionalFault(
        _ value: Node, _ schema: Node, in whole: Node
    ) throws(Surrender) -> SchemaFault? {
        guard whole["patternProperties"] == nil else {
            hasPassedOver = true
            return nil
        }
        let named = try whole["properties"].map { node throws(Surrender) in try table(of: node) }
        for (key, member) in Node.MemberIndices(value) {
            let name = Node(value.storage, key)
            try spend(on: name.range.count)
            guard named?[name.text] == nil,
                let fault = try fault(of: Node(value.storage, member), under: schema)
            else { continue }
            return fault.inside(name.text)
        }
        return nil
    }

    private mutating func requiredFault(
        _ value: Node, _ names: Node
    ) throws(Surrender) -> SchemaFault? {
        let present = try table(of: value)
        for name in names.elements {
            try spend(on: name.range.count)
            guard name.kind == .string else { continue }
            if present[name.text] == nil { return SchemaFault("is missing").inside(name.text) }
        }
        return nil
    }

    mutating func arrayFault(
        _ value: Node, _ key: String, _ keyword: Node, in schema: Node
    ) throws(Surrender) -> SchemaFault? {
        switch key {
        case "prefixItems":
            for (position, pair) in zip(value.elements, keyword.elements).enumerated() {
                guard let fault = try fault(of: pair.0, under: pair.1) else { continue }
                return fault.inside(position)
            }
            return nil
        case "items":
            let first = schema["prefixItems"]?.count ?? 0
            try spend(on: 16 * first)
            for (position, element) in value.elements.enumerated() where position >= first {
                guard let fault = try fault(of: element, under: keyword) else { continue }
                return fault.inside(position)
            }
            return nil
        case "uniqueItems":
            return keyword.boolean == true ? try repetitionFault(value) : nil
        default:
            let count = value.count
            try spend(on: 16 * count)
            return countFault(count, "elements", isLeast: key == "minItems", keyword)
        }
    }

    /// Equal elements have equal hashes, so only those are compared.
    private mutating func repetitionFault(_ value: Node) throws(Surrender) -> SchemaFault? {
        var seen: [Int: [Node]] = [:]
        for (position, element) in value.elements.enumerated() {
            try spend()
            let hash = try hash(of: element)
            for other in seen[hash] ?? [] where try areEqual(element, other) {
                return SchemaFault("must not repeat an element before it").inside(position)
            }
            seen[hash, default: []].append(element)
        }
        return nil
    }
}
