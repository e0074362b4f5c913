/// Cuts bytes into pieces as a network would: the sizes are chosen by a number, so that an input decides them.
struct Pieces {
    private var rest: ArraySlice<UInt8>
    private var state: UInt64

    init(_ bytes: ArraySlice<UInt8>, seed: UInt8) {
        rest = bytes
        state = UInt64(seed)
    }

    /// The next piece, or nil at the end. Small ones are frequent: faults lie at borders.
    mutating func next() -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let number = Int(state >> 40)
        let size = number % 4 == 0 ? 1 + number / 4 % 200 : 1 + number / 4 % 9
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size)
    }
}
