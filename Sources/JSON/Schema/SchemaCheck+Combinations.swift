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
        var isMatchSure: Bool?
        for schema in schemas.elements {
            let (fault, isSure) = try judgement(of: value, under: schema)
            if let fault {
                faults.append(fault)
            } else if let isMatchSure {
                guard isMatchSure, isSure else { throw .passedOver }
                return SchemaFault("must fit only one of the schemas in oneOf")
            } else {
                isMatchSure = isSure
            }
        }
        return isMatchSure == nil ? SchemaFault.closest(of: faults) : nil
    }

    mutating func faultInNot(_ value: Node, _ schema: Node) throws(Surrender) -> SchemaFault? {
        let (fault, isSure) = try judgement(of: value, under: schema)
        guard fault == nil else { return nil }
        guard isSure else { throw .passedOver }
        return SchemaFault("must not be what it is")
    }

    mutating func faultInBranch(
        _ value: Node, _ condition: Node, of schema: Node
    ) throws(Surrender) -> SchemaFault? {
        let (other, isSure) = try judgement(of: value, under: condition)
        guard let next = schema[other == nil ? "then" : "else"],
            let fault = try fault(of: value, under: next)
        else { return nil }
        guard other != nil || isSure else { throw .passedOver }
        return fault
    }

    /// The fault, if any, and whether a fit is sure: nothing that was passed over could tell otherwise. A fault is.
    private mutating func judgement(
        of value: Node, under schema: Node
    ) throws(Surrender) -> (fault: SchemaFault?, isSure: Bool) {
        let before = hasPassedOver
        hasPassedOver = false
        defer { hasPassedOver = hasPassedOver || before }
        let fault = try fault(of: value, under: schema)
        return (fault, fault != nil || !hasPassedOver)
    }
}
