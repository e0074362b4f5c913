/// Whether two values are the same: numbers by their value, objects whatever the order of their members.
extension SchemaCheck {
    mutating func areEqual(_ one: Node, _ other: Node) throws(Surrender) -> Bool {
        try spend()
        guard one.kind == other.kind else { return false }
        switch one.kind {
        case .null: return true
        case .boolean: return one.boolean == other.boolean
        case .number:
            try spend(on: Self.costOfNumber + one.range.count + other.range.count)
            return try number(one) == number(other)
        case .string:
            try spend(on: one.range.count + other.range.count)
            return one.text == other.text
        case .array:
            var (ones, others) = (one.elements, other.elements)
            while let next = ones.next() {
                guard let pair = others.next(), try areEqual(next, pair) else { return false }
            }
            return others.next() == nil
        case .object:
            let (ones, others) = (try table(of: one), try table(of: other))
            guard ones.count == others.count else { return false }
            for (key, value) in ones {
                guard let pair = others[key], try areEqual(value, pair) else { return false }
            }
            return true
        }
    }

    /// The same for values that are equal. Seeded for each process, so that nobody can make others collide.
    mutating func hash(of value: Node) throws(Surrender) -> Int {
        try spend()
        var hasher = Hasher()
        switch value.kind {
        case .null: hasher.combine(0)
        case .boolean: hasher.combine(value.boolean)
        case .number:
            try spend(on: Self.costOfNumber + value.range.count)
            hasher.combine(try number(value))
        case .string:
            try spend(on: value.range.count)
            hasher.combine(value.text)
        case .array:
            for element in value.elements { hasher.combine(try hash(of: element)) }
        case .object:
            var sum = 0
            for (key, member) in try table(of: value) {
                var pair = Hasher()
                pair.combine(key)
                pair.combine(try hash(of: member))
                sum ^= pair.finalize()
            }
            hasher.combine(sum)
        }
        return hasher.finalize()
    }
}
