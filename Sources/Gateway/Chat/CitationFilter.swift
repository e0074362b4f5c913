/// Follows the references `[n]` in an answer as it streams by: notes those to passages that were retrieved and
/// removes those to none. Works on the inside of JSON string literals, in which brackets and digits stand for
/// themselves.
struct CitationFilter: Sendable {
    /// Digits of the longest reference that is looked at.
    private static let longest = 3

    private let known: Set<Int>
    /// A reference that has begun: `[` and digits.
    private var pending: [UInt8] = []
    /// Backticks in a row that opened the code which the text is in; 0 outside.
    private var fence = 0
    /// Backticks in a row up to here.
    private var ticks = 0
    private var last: UInt8 = 0
    /// Numbers that the text refers to.
    private(set) var cited: Set<Int> = []

    /// `known` are the numbers of the retrieved passages.
    init(known: Set<Int>) {
        self.known = known
    }

    /// Takes a piece and returns what may go out.
    mutating func pass(_ piece: some Sequence<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        for byte in piece {
            follow(byte)
            switch byte {
            case UInt8(ascii: "[") where fence == 0:
                output += pending
                pending = [byte]
            case UInt8(ascii: "0")...UInt8(ascii: "9")
            where !pending.isEmpty && pending.count <= Self.longest:
                pending.append(byte)
            case UInt8(ascii: "]") where pending.count > 1:
                output += closed()
            default:
                output += pending
                pending = []
                output.append(byte)
            }
        }
        return output
    }

    /// Code ends with as many backticks as it began with, or at the line's end where they are less than three: a
    /// backtick that is never answered must not let the rest of the text pass for code.
    private mutating func follow(_ byte: UInt8) {
        defer { last = byte }
        let endsLine = byte == 0x0a || (byte == UInt8(ascii: "n") && last == UInt8(ascii: "\\"))
        if endsLine, max(fence, ticks) < 3 { (fence, ticks) = (0, 0) }
        if byte == UInt8(ascii: "`") {
            ticks += 1
            return
        }
        guard ticks > 0 else { return }
        if fence == 0 {
            fence = ticks
        } else if fence == ticks {
            fence = 0
        }
        ticks = 0
    }

    /// The answer has ended: what was held back.
    mutating func end() -> [UInt8] {
        defer { pending = [] }
        return pending
    }

    private mutating func closed() -> [UInt8] {
        defer { pending = [] }
        let number = pending.dropFirst().reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard known.contains(number) else { return [] }
        cited.insert(number)
        return pending + [UInt8(ascii: "]")]
    }
}
