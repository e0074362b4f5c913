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
        case .verbatim(let json):
            text += json
        case .number(let number):
            text += number.isFinite ? Array(number.description.utf8) : Array("null".utf8)
        case .array(let elements) where isJoined:
            text.append(.openingBracket)
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(.comma) }
                element.encode(into: &text)
            }
            text.append(.closingBracket)
        case .object(let members) where isJoined:
            text.append(.openingBrace)
            var rest = members[...]
            while let member = rest.first {
                if rest.startIndex > 0 { text.append(.comma) }
                let plain = rest.prefix { !$0.value.isJoined }
                if plain.isEmpty {
                    text += StringLiteral.encode(member.key)
                    text.append(.colon)
                    member.value.encode(into: &text)
                    rest.removeFirst()
                } else {
                    // Neighbours that jansson can encode go to it together; their braces are ours already.
                    var object: [UInt8] = []
                    Jansson.encode(.object(Array(plain)), into: &object)
                    text += object.dropFirst().dropLast()
                    rest = rest.dropFirst(plain.count)
                }
            }
            text.append(.closingBrace)
        default:
            Jansson.encode(self, into: &text)
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
