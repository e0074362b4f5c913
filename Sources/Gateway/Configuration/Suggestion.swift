/// What someone may have meant.
enum Suggestion {
    /// `; did you mean "…"?` if a name is close, else nothing.
    static func text(for name: String, among names: some Sequence<String>) -> String {
        let close = names.map { (name: $0, distance: distance(Array(name), Array($0))) }
            .min { $0.distance < $1.distance }
        guard let close, close.distance <= max(1, min(2, close.name.count / 2)) else { return "" }
        return "; did you mean \"\(close.name)\"?"
    }

    /// Characters to put in, take out, replace or swap with their neighbour.
    private static func distance(_ one: [Character], _ other: [Character]) -> Int {
        guard one.count <= 64, other.count <= 64 else { return .max }
        var beforeLast: [Int] = []
        var last = Array(0...other.count)
        for (row, character) in one.enumerated() {
            var current = [row + 1]
            for (column, candidate) in other.enumerated() {
                var cost = last[column] + (character == candidate ? 0 : 1)
                cost = min(cost, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, character == other[column - 1], one[row - 1] == candidate {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[other.count]
    }
}
