import JSON

/// The `logprobs` of a choice: two lists of tokens, `content` and `refusal`, each of which may be `null`.
package enum Logprobs {
    /// The names of the lists.
    package static let names = ["content", "refusal"]

    /// The object. Lists by name, as their elements with commas between.
    package static func object(_ lists: [String: [UInt8]]) -> [UInt8] {
        let members = names.map { name in
            Member(
                name,
                lists[name].map { .verbatim(Array("[".utf8) + $0 + Array("]".utf8)) } ?? .null)
        }
        return Value.object(members).encoded()
    }

    /// Several objects that together say the same, each of about `limit` bytes at most.
    static func pieces(_ object: [UInt8], limit: Int) -> [[UInt8]] {
        guard object.count > limit, let root = try? Document(object).root else { return [object] }
        var pieces: [[UInt8]] = []
        for name in names {
            var list: [UInt8] = []
            for token in root[name]?.elements.map(\.bytes) ?? [] {
                if !list.isEmpty, list.count + token.count > limit {
                    pieces.append(Self.object([name: list]))
                    list = []
                }
                if !list.isEmpty { list.append(UInt8(ascii: ",")) }
                list += token
            }
            if !list.isEmpty { pieces.append(Self.object([name: list])) }
        }
        return pieces
    }
}
