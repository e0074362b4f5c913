extension Value {
    /// The value as compact JSON in UTF-8, encoded by jansson.
    ///
    /// Jansson has no raw node and respells numbers (0.7 becomes 0.69999999999999996). So a
    /// container that holds `.verbatim` or `.number` is joined here around parts that jansson encodes.
    package func encoded() -> [UInt8] {
        var text: [UInt8] = []
        encode(into: &text)
        return text
    }

    /// Appends what `encoded()` returns.
    package func encode(into text: inout [UInt8]) {
        switch self {
        case .verbatim(let json): text += json
        case .number(let number):
            text += (number.isFinite ? number.description : "null").utf8
        // Spelled in one way only: an object of jansson's for each would cost more than all the rest.
        case .null: text += "null".utf8
        case .boolean(let boolean): text += (boolean ? "true" : "false").utf8
        case .integer(let integer): text += integer.description.utf8
        case .string(let string): StringLiteral.encode(string, into: &text)
        case .array(let elements) where isJoined:
            text.append(.openingBracket)
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(.comma) }
                element.encode(into: &text)
            }
            text.append(.closingBracket)
        case .object(let members) where isJoined:
            text.append(.openingBrace)
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(.comma) }
                StringLiteral.encode(member.key, into: &text)
                text.append(.colon)
                member.value.encode(into: &text)
            }
            text.append(.closingBrace)
        case .array, .object: Jansson.encode(self, into: &text)
        }
    }

    /// Whether there is a part in it that jansson cannot encode as we want it.
    private var isJoined: Bool {
        switch self {
        case .verbatim, .number: true
        case .array(let elements): elements.contains(where: \.isJoined)
        case .object(let members): members.contains(where: \.value.isJoined)
        default: false
        }
    }
}
