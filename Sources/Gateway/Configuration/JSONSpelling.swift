internal import JSON
internal import YAML

/// The JSON that a YAML value spells: plain `true`, `false`, `null` and numbers are those, byte for byte; all other
/// scalars are strings.
enum JSONSpelling {
    /// A value that JSON cannot spell.
    struct Fault: Error {
        let node: YAML.Node
    }

    static func json(_ node: YAML.Node) throws(Fault) -> [UInt8] {
        switch node.content {
        case .scalar(let text, let isQuoted):
            return isQuoted ? StringLiteral.encode(text) : try plain(text, node)
        case .sequence(let elements):
            var parts: [[UInt8]] = []
            for element in elements { parts.append(try json(element)) }
            return Array("[".utf8) + parts.joined(separator: Array(",".utf8)) + Array("]".utf8)
        case .mapping(let members):
            var parts: [[UInt8]] = []
            for (key, value) in members {
                let key = StringLiteral.encode(key.text ?? "")
                parts.append(key + Array(":".utf8) + (try json(value)))
            }
            return Array("{".utf8) + parts.joined(separator: Array(",".utf8)) + Array("}".utf8)
        }
    }

    private static func plain(_ text: String, _ node: YAML.Node) throws(Fault) -> [UInt8] {
        if node.isNull { return Array("null".utf8) }
        if let boolean = node.boolean { return Array("\(boolean)".utf8) }
        let bytes = Array(text.utf8)
        if let root = try? Document(bytes).root, root.kind == .number { return bytes }
        // `.5`, `+1`, `007`, `0x1F`, `.inf`: numbers in YAML, and nobody means the string.
        guard !isNumber(node, text.lowercased()) else { throw Fault(node: node) }
        return StringLiteral.encode(text)
    }

    private static func isNumber(_ node: YAML.Node, _ text: String) -> Bool {
        let digits = text.drop { $0 == "+" || $0 == "-" }
        if digits == ".inf" || digits == ".nan" { return true }
        let isHexadecimal = digits.hasPrefix("0x") && Int(digits.dropFirst(2), radix: 16) != nil
        let isOctal = digits.hasPrefix("0o") && Int(digits.dropFirst(2), radix: 8) != nil
        return isHexadecimal || isOctal || node.number != nil
    }
}
