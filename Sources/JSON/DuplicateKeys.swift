/// Finds two members of one object that have the same key, however each is spelled.
enum DuplicateKeys {
    /// Up to so many members, comparing all pairs is cheaper than sorting.
    private static let few = 8

    /// The tape index of a key that is there before, nil if all differ.
    static func find(in bytes: Span<UInt8>, _ tape: [Parser.Entry], object: Int) -> Int? {
        var keys: [Int] = []
        var index = object + 1
        let end = Int(tape[object].link)
        guard end > index + 2 else { return nil }
        while index < end {
            keys.append(index)
            index = following(index + 1, in: bytes, tape)
        }
        return keys.count <= few
            ? findPair(keys[...], bytes, tape) : findSorted(keys, bytes, tape)
    }

    /// The tape index behind a value and all that it holds.
    static func following(
        _ index: Int, in bytes: Span<UInt8>, _ tape: [Parser.Entry]
    ) -> Int {
        switch bytes[Int(tape[index].start)] {
        case .openingBrace, .openingBracket: Int(tape[index].link)
        default: index + 1
        }
    }

    private static func findPair(
        _ keys: ArraySlice<Int>, _ bytes: Span<UInt8>, _ tape: [Parser.Entry]
    ) -> Int? {
        for (position, key) in zip(keys.indices, keys) {
            for other in keys[..<position] where areEqual(tape[key], tape[other], bytes) {
                return key
            }
        }
        return nil
    }

    /// Equal keys have equal hashes and so become neighbours. The hash is seeded per process:
    /// nobody outside can make keys that differ and collide.
    private static func findSorted(
        _ keys: [Int], _ bytes: Span<UInt8>, _ tape: [Parser.Entry]
    ) -> Int? {
        var hashed: [(hash: Int, key: Int)] = []
        hashed.reserveCapacity(keys.count)
        for key in keys { hashed.append((hash(tape[key], bytes), key)) }
        hashed.sort { ($0.hash, $0.key) < ($1.hash, $1.key) }
        var first = 0
        for index in 1...hashed.count
        where index == hashed.count || hashed[index].hash != hashed[first].hash {
            if index - first > 1,
                let key = findPair(hashed[first..<index].map(\.key)[...], bytes, tape)
            {
                return key
            }
            first = index
        }
        return nil
    }

    private static func hash(_ key: Parser.Entry, _ bytes: Span<UInt8>) -> Int {
        var hasher = Hasher()
        if key.link == 0 {
            for offset in Int(key.start) + 1..<Int(key.end) - 1 { hasher.combine(bytes[offset]) }
        } else {
            for byte in decoded(key, bytes) { hasher.combine(byte) }
        }
        return hasher.finalize()
    }

    private static func areEqual(
        _ one: Parser.Entry, _ other: Parser.Entry, _ bytes: Span<UInt8>
    ) -> Bool {
        guard one.link == 0, other.link == 0 else {
            return decoded(one, bytes) == decoded(other, bytes)
        }
        guard one.end - one.start == other.end - other.start else { return false }
        let distance = Int(other.start) - Int(one.start)
        for offset in Int(one.start)..<Int(one.end) where bytes[offset] != bytes[offset + distance]
        {
            return false
        }
        return true
    }

    private static func decoded(_ key: Parser.Entry, _ bytes: Span<UInt8>) -> [UInt8] {
        Escapes.decode(bytes, Int(key.start) + 1..<Int(key.end) - 1)
    }
}
