package import JSON

/// What a model reads where there are no messages: `input` of embeddings, `prompt` of text completions. One text, or
/// many; each a string, or a list of the model's own tokens.
package struct TextInput: Sendable {
    /// What a caller may give.
    struct Bounds {
        /// Texts or tokens in the outer array, at most.
        var count = Int.max
        /// Whether a text may have no character.
        var permitsEmptyTexts = true
    }

    /// The member as the caller wrote it.
    package let node: Node
    /// How many texts, from 1.
    package let count: Int
    /// Strings, or at least one string: no tokens.
    package let isText: Bool
    /// About how many characters there are, for an estimate: a given token counts as four.
    package let characterCount: Int

    /// Throws with the path of the first element that cannot be.
    init(_ field: RequestField, _ bounds: Bounds = Bounds()) throws(APIError) {
        node = field.node
        switch node.kind {
        case .string:
            characterCount = try checkText(node, bounds) { field.path }
            (count, isText) = (1, true)
        case .array:
            (count, isText, characterCount) = try readArray(field, bounds)
        default:
            throw .invalidType(field.path, "a string or an array of strings or of tokens")
        }
    }
}

private func readArray(
    _ field: RequestField, _ bounds: TextInput.Bounds
) throws(APIError) -> (count: Int, isText: Bool, characterCount: Int) {
    let (node, count) = (field.node, field.node.count)
    guard let first = node[0] else {
        throw .invalidValue(field.path, "it must hold at least 1 element")
    }
    guard count <= bounds.count else {
        throw .invalidValue(field.path, "it must hold at most \(bounds.count) elements")
    }
    switch first.kind {
    case .string:
        return (count, true, try checkTexts(field, bounds))
    case .array:
        var tokens = 0
        for (index, list) in node.elements.enumerated() {
            let place = RequestField(node: list, path: "\(field.path)[\(index)]")
            guard list.kind == .array else { throw .invalidType(place.path, "an array of tokens") }
            guard list.count > 0 else {
                throw .invalidValue(place.path, "it must hold at least 1 element")
            }
            tokens += try checkTokens(place)
        }
        return (count, false, 4 * tokens)
    default:
        return (1, false, 4 * (try checkTokens(field)))
    }
}

/// The characters of all texts.
private func checkTexts(
    _ field: RequestField, _ bounds: TextInput.Bounds
) throws(APIError) -> Int {
    var characters = 0
    for (index, text) in field.node.elements.enumerated() {
        characters += try checkText(text, bounds) { "\(field.path)[\(index)]" }
    }
    return characters
}

/// Characters as spelled: long texts are not decoded for it. There may be many, so a path is made only if needed.
private func checkText(
    _ text: Node, _ bounds: TextInput.Bounds, path: () -> String
) throws(APIError) -> Int {
    guard text.kind == .string else { throw .invalidType(path(), "a string") }
    let characters = text.range.count - 2
    guard characters > 0 || bounds.permitsEmptyTexts else {
        throw .invalidValue(path(), "it must not be empty")
    }
    return characters
}

/// The number of tokens.
private func checkTokens(_ field: RequestField) throws(APIError) -> Int {
    var tokens = 0
    for token in field.node.elements {
        guard token.integer != nil else {
            let path = "\(field.path)[\(tokens)]"
            throw token.isWhole
                ? .invalidValue(path, "it is out of range") : .invalidType(path, "an integer")
        }
        tokens += 1
    }
    return tokens
}
