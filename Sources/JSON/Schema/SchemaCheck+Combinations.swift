/// Keywords that hold schemas for the value itself.
extension SchemaCheck {
    mutating func faultInAll(_ value: Node, _ schemas: Node) throws(Surrender) -> SchemaFault? {
        for schema in schemas.elements {
            if let fault = try fault(of: value, under: schema) { return fault }
        }
        return nil
    }

    mutating func faultInAny(_ value: Node, _ schemas: Node) throws(Surrender) -> SchemaFault? {
        var faults: [SchemaFault] = []
        for schema in schemas.elements {
            guard let fault = try fault(of: value, under: schema) else { return nil }
            faults.append(fault)
        }
        return SchemaFault.closest(of: faults)
    }

    mutating func faultInOne(_ value: Node, _ schemas: Node) throws(Surrender) -> SchemaFault? {
        var faults: [SchemaFault] = []
        var hasMatch = false
        for schema in schemas.elements {
            if let fault = try fault(of: value, under: schema) {
                faults.append(fault)
            } else if hasMatch {
                return SchemaFault("must fit only one of the schemas in oneOf")
            } else {
                hasMatch = true
            }
        }
        return hasMatch ? nil : SchemaFault.closest(of: faults)
    }

    mutating func faultInNot(_ value: Node, _ schema: Node) throws(Surrender) -> SchemaFault? {
        try fault(of: value, under: schema) == nil ? SchemaFault("must not be what it is") : nil
    }

    mutating func faultInBranch(
        _ value: Node, _ condition: Node, of schema: Node
    ) throws(Surrender) -> SchemaFault? {
        let branch = try fault(of: value, under: condition) == nil ? "then" : "else"
        guard let next = schema[branch] else { return nil }
        return try fault(of: value, under: next)
    }
}
