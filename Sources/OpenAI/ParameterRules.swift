import JSON

/// What a named parameter of a request may be. Members without a rule belong to the provider and are forwarded as they
/// are.
enum ParameterRule {
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case boolean
    case string
    case object
    case check(@Sendable (RequestField) throws(APIError) -> Void)
}

/// Types and ranges of the parameters that `rules` name.
func checkParameters(
    of root: RequestField, by rules: [String: ParameterRule]
) throws(APIError) {
    for (key, field) in try root.members() {
        guard let rule = rules[key], !field.node.isNull else { continue }
        switch rule {
        case .number(let range): try field.number(in: range)
        case .integer(let range): try field.integer(in: range)
        case .boolean: _ = try field.boolean()
        case .string: try field.requireString()
        case .object: try field.requireObject()
        case .check(let check): try check(field)
        }
    }
    if root["stream_options"] != nil, root.node["stream"]?.boolean != true {
        throw .invalidValue("stream_options", "it goes only with 'stream': true")
    }
}

func checkStop(_ stop: RequestField) throws(APIError) {
    switch stop.node.kind {
    case .string: return
    case .array: for text in try stop.elements(atMost: 4) { try text.requireString() }
    default: throw .invalidType("stop", "a string or an array of at most 4 strings")
    }
}

func checkLogitBias(_ bias: RequestField) throws(APIError) {
    for (_, value) in try bias.members() { try value.number(in: -100...100) }
}

func checkStreamOptions(_ options: RequestField) throws(APIError) {
    try options.requireObject()
    _ = try options["include_usage"]?.boolean()
    _ = try options["include_obfuscation"]?.boolean()
}
