import JSON
import YAML

/// A YAML mapping that is being written.
struct Block {
    indirect enum Value {
        /// A word or number as it stands.
        case plain(String)
        /// A text; references in it are made harmless.
        case text(String)
        /// A text with references.
        case verbatim(String)
        case sequence([Value])
        case mapping([(key: String, value: Value)])
    }

    private var pairs: [(key: String, value: Value)]

    init(_ pairs: [(key: String, value: Value)]) { self.pairs = pairs }

    mutating func set(_ key: String, _ value: Value) {
        pairs.removeAll { $0.key == key }
        pairs.append((key, value))
    }

    /// Adds the elements of a mapping, or of a sequence of mappings that are told apart by `identity`; new ones win.
    mutating func merge(_ key: String, _ value: Value, by identity: String?) {
        guard let index = pairs.firstIndex(where: { $0.key == key }) else {
            return set(key, value)
        }
        switch (pairs[index].value, value) {
        case (.mapping(let old), .mapping(let new)):
            let kept = old.filter { pair in !new.contains { $0.key == pair.key } }
            pairs[index].value = .mapping(kept + new)
        case (.sequence(let old), .sequence(let new)):
            let names = new.map { $0[identity ?? ""] }
            pairs[index].value = .sequence(old.filter { !names.contains($0[identity ?? ""]) } + new)
        default: break
        }
    }

    /// One key a line; what is inside of it in YAML's short form.
    var text: String {
        pairs.map { pair in
            // An empty sequence on no line would be no value at all.
            guard case .sequence(let elements) = pair.value, !elements.isEmpty else {
                return "\(Value.key(pair.key)): \(pair.value.text)\n"
            }
            return "\(Value.key(pair.key)):\n" + elements.map { "  - \($0.text)\n" }.joined()
        }.joined()
    }
}

extension Block.Value {
    /// What a file says. Paths in its `${file:}` references are relative to `folder`; here they become absolute.
    init(_ node: YAML.Node, folder: String) {
        switch node.content {
        case .scalar(let text, let quoted):
            self =
                quoted || !Self.isWord(text) ? .verbatim(Self.absolute(text, folder)) : .plain(text)
        case .sequence(let elements): self = .sequence(elements.map { Self($0, folder: folder) })
        case .mapping(let pairs):
            self = .mapping(pairs.map { ($0.key.text ?? "", Self($0.value, folder: folder)) })
        }
    }

    /// The text of a scalar member of a mapping.
    fileprivate subscript(_ key: String) -> String? {
        guard case .mapping(let pairs) = self else { return nil }
        switch pairs.first(where: { $0.key == key })?.value {
        case .plain(let text), .text(let text), .verbatim(let text): return text
        default: return nil
        }
    }

    fileprivate var text: String {
        switch self {
        case .plain(let text): text
        case .text(let text):
            Self.quoted(
                text.split(separator: "${", omittingEmptySubsequences: false).joined(
                    separator: "$${"))
        case .verbatim(let text): Self.quoted(text)
        case .sequence(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .mapping(let pairs):
            "{ " + pairs.map { "\(Self.key($0.key)): \($0.value.text)" }.joined(separator: ", ")
                + " }"
        }
    }

    /// JSON's strings are YAML's too.
    fileprivate static func quoted(_ text: String) -> String {
        String(decoding: StringLiteral.encode(text), as: UTF8.self)
    }

    /// A name as people write it, if it is one of ours; others in quotes.
    fileprivate static func key(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { $0 == 0x5f || (0x61...0x7a).contains($0) }
        return isPlain && !["true", "false", "null", ""].contains(name) ? name : quoted(name)
    }

    /// What can stand without quotes and keeps its meaning: `true`, `12`, `0.5`, `~`, `auto`.
    private static func isWord(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
                || "+-._~".utf8.contains(byte)
        }
    }

    private static func absolute(_ text: String, _ folder: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let reference = rest.firstRange(of: "${file:") {
            let isEscaped = rest[..<reference.lowerBound].last == "$"
            result += rest[..<reference.upperBound]
            rest = rest[reference.upperBound...]
            if !isEscaped, rest.first != "/" { result += "\(folder)/" }
        }
        return result + rest
    }
}
