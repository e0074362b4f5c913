import TestSupport

/// Chance that can be had again. What is thrown depends on the seed and on the throws before, never on time.
struct Dice: RandomNumberGenerator {
    private var generator: SeededGenerator

    /// Dice of their own for each `player` of a seed.
    init(seed: Int, player: Int) {
        let state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15
        let number = UInt64(bitPattern: Int64(player)) &* 0xD1B5_4A32_D192_ED03
        generator = SeededGenerator(seed: state ^ number)
        _ = next()
    }

    mutating func next() -> UInt64 { generator.next() }

    /// True in so many of a hundred throws.
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// One of them, each as likely as its weight says.
    mutating func pick<Element>(_ elements: [(element: Element, weight: Int)]) -> Element? {
        let sum = elements.reduce(0) { $0 + $1.weight }
        guard sum > 0 else { return nil }
        var rest = Int.random(in: 0..<sum, using: &self)
        for (element, weight) in elements {
            if rest < weight { return element }
            rest -= weight
        }
        return nil
    }
}
