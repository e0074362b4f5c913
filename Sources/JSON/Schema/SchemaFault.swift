/// Why a value does not fit, and where in it.
struct SchemaFault {
    private enum Step {
        case member(ArraySlice<UInt8>), element(Int)
    }

    /// Characters of a path that are told.
    private static let longestPath = 400
    private static let longestName = 60
    /// Alternatives that are told.
    private static let alternatives = 5

    /// The way to the place, from its end.
    private var trail: [Step] = []
    /// What follows the path, such as "must be a string".
    private let message: String

    init(_ message: String) {
        self.message = message
    }

    /// The same, seen from the object around it.
    func inside(_ key: ArraySlice<UInt8>) -> SchemaFault { after(.member(key)) }

    /// The same, seen from the array around it.
    func inside(_ position: Int) -> SchemaFault { after(.element(position)) }

    private func after(_ step: Step) -> SchemaFault {
        var fault = self
        fault.trail.append(step)
        return fault
    }

    /// What to tell of a value that fits none of several schemas: where it comes closest. Nil if there were none.
    static func closest(of faults: [SchemaFault]) -> SchemaFault? {
        guard let depth = faults.map(\.trail.count).max() else { return nil }
        if depth > 0 { return faults.first { $0.trail.count == depth } }
        var messages: [String] = []
        for fault in faults where !messages.contains(fault.message) {
            messages.append(fault.message)
            if messages.count == alternatives { break }
        }
        return SchemaFault(messages.joined(separator: ", or "))
    }

    /// `$.steps[2].result must be a string`
    var description: String {
        let path = trail.reversed().reduce(into: "$") { path, step in
            switch step {
            case .element(let position): path += "[\(position)]"
            case .member(let key): path += Self.spelled(key)
            }
        }
        let told = path.count > Self.longestPath ? path.prefix(Self.longestPath) + "…" : path[...]
        return "\(told) \(message)"
    }

    private static func spelled(_ key: ArraySlice<UInt8>) -> String {
        let isWord = key.allSatisfy { byte in
            byte.isDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        let text = String(decoding: key, as: UTF8.self)
        let name = String(text.prefix(longestName)) + (text.count > longestName ? "…" : "")
        if isWord, !key.isEmpty { return "." + name }
        return "[\(String(decoding: StringLiteral.encode(name), as: UTF8.self))]"
    }
}
