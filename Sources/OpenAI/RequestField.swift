import JSON

/// A member of a request together with the path at which the caller wrote it, so that every
/// refusal can name it. JSON `null` counts as absent wherever a member is optional.
struct RequestField {
    let node: Node
    let path: String

    /// The member, or `nil` when it is absent or `null`.
    subscript(_ key: String) -> RequestField? {
        guard let member = node[key], !member.isNull else { return nil }
        return RequestField(node: member, path: path(to: key))
    }

    func path(to key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func required(_ key: String) throws(APIError) -> RequestField {
        guard let member = self[key] else { throw .missingParameter(path(to: key)) }
        return member
    }

    func string() throws(APIError) -> String {
        guard let text = node.string else { throw .invalidType(path, "a string") }
        return text
    }

    /// A string of which only the type matters: long texts are not decoded for it.
    func requireString() throws(APIError) {
        guard node.kind == .string else { throw .invalidType(path, "a string") }
    }

    func word(_ allowed: String...) throws(APIError) -> String {
        let word = try string()
        guard allowed.contains(word) else {
            let list = allowed.map { "'\($0)'" }.joined(separator: ", ")
            throw .invalidValue(path, "it must be one of \(list)")
        }
        return word
    }

    func boolean() throws(APIError) -> Bool {
        guard let value = node.boolean else { throw .invalidType(path, "true or false") }
        return value
    }

    @discardableResult
    func number(in range: ClosedRange<Double>) throws(APIError) -> Double {
        guard let value = node.number else { throw .invalidType(path, "a number") }
        guard range.contains(value) else {
            throw .invalidValue(
                path, "it must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    /// `2.0` is an integer, as in JSON Schema.
    @discardableResult
    func integer(in range: ClosedRange<Int>) throws(APIError) -> Int {
        guard node.isWhole else { throw .invalidType(path, "an integer") }
        guard let value = node.integer else {
            throw .invalidValue(
                path,
                "it is out of range; it must be between \(range.lowerBound) and \(range.upperBound)"
            )
        }
        guard range.contains(value) else {
            throw .invalidValue(
                path,
                range.upperBound == .max
                    ? "it must be at least \(range.lowerBound)"
                    : "it must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    func requireObject() throws(APIError) {
        guard node.kind == .object else { throw .invalidType(path, "an object") }
    }

    func elements(atLeast minimum: Int = 0, atMost maximum: Int = .max) throws(APIError)
        -> [RequestField]
    {
        guard node.kind == .array else { throw .invalidType(path, "an array") }
        let count = node.count
        guard count >= minimum else {
            throw .invalidValue(path, "it must hold at least \(minimum) element")
        }
        guard count <= maximum else {
            throw .invalidValue(path, "it must hold at most \(maximum) elements")
        }
        return node.elements.enumerated().map { index, element in
            RequestField(node: element, path: "\(path)[\(index)]")
        }
    }

    func members() throws(APIError) -> [(key: String, value: RequestField)] {
        try requireObject()
        return node.members.map { key, value in
            (key, RequestField(node: value, path: path(to: key)))
        }
    }
}
