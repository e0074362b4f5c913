/// The same "random" numbers in every run (SplitMix64), so that a failure can be seen again.
struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// The bytes with one to three bytes replaced, removed, doubled or put in.
    mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        let likely =
            Array(#"{}[]",:\ntrue0159-+.eEu/ "#.utf8) + [
                0, 0x0A, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF,
            ]
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            guard let index = damaged.indices.randomElement(using: &self),
                let byte = likely.randomElement(using: &self)
            else { return [0x22] }
            switch Int.random(in: 0..<4, using: &self) {
            case 0: damaged[index] = byte
            case 1: damaged.remove(at: index)
            case 2: damaged.insert(damaged[index], at: index)
            default: damaged.insert(byte, at: index)
            }
        }
        return damaged
    }
}
