/// What an item of a list in Markdown begins with: `- `, `* `, `+ `, `1. ` or `1) `.
package struct ListMark: Sendable {
    /// Bytes, the blank included.
    package let length: Int
    /// nil in a list without numbers.
    package let number: Int?

    /// nil: the line, without the blanks before it, begins no item.
    package static func read(_ line: some Collection<UInt8>) -> ListMark? {
        let digits = line.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let marks = digits.isEmpty ? "-*+".utf8 : ".)".utf8
        let rest = line.dropFirst(digits.count)
        guard digits.count <= 9, let mark = rest.first, marks.contains(mark),
            rest.dropFirst().first == UInt8(ascii: " ")
        else { return nil }
        return ListMark(
            length: digits.count + 2, number: Int(String(decoding: digits, as: UTF8.self)))
    }
}
