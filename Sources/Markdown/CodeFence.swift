/// The line above fenced code in Markdown: three or more backticks or tildes, and what the code is written in.
package struct CodeFence: Sendable {
    private let mark: UInt8
    private let count: Int
    /// Blanks before the marks.
    package let indent: Int
    /// What stands behind the marks.
    private let info: String

    /// nil: the line opens no code.
    package init?(opening line: some Collection<UInt8>) {
        let content = line.drop { $0 == Self.space }
        guard let mark = content.first, mark == Self.backtick || mark == UInt8(ascii: "~") else {
            return nil
        }
        let marks = content.prefix { $0 == mark }
        let rest = content.dropFirst(marks.count)
        guard marks.count >= 3, mark != Self.backtick || !rest.contains(mark) else { return nil }
        self.mark = mark
        count = marks.count
        indent = line.count - content.count
        info = String(decoding: rest, as: UTF8.self)
    }

    /// Whether the code ends with this line: at least as many marks and nothing else.
    package func isClosed(by line: some Collection<UInt8>) -> Bool {
        let content = line.drop { $0 == Self.space }
        let marks = content.prefix { $0 == mark }
        return marks.count >= count && line.count - content.count <= indent + 3
            && content.dropFirst(marks.count).allSatisfy { Self.blanks.contains($0) }
    }

    /// The code as Markdown of its own, between fences that nothing in it closes.
    package func enclose(_ code: [Substring]) -> String {
        let lines = code.map { line in
            line.dropFirst(min(indent, line.prefix { $0 == " " }.count))
        }
        let fence = Self.around(lines.joined(separator: "\n"))
        let language = info.filter { $0 != "`" }.drop(while: \.isWhitespace)
        return ([fence + language] + lines.map(String.init) + [fence]).joined(separator: "\n")
    }

    /// The line above and below code that nothing in the code can be taken for.
    package static func around(_ code: String) -> String {
        let longest = InlineCode.runs(in: code[...]).map { $0.count }.max() ?? 0
        return String(repeating: "`", count: max(3, longest + 1))
    }

    private static let backtick = UInt8(ascii: "`")
    private static let space = UInt8(ascii: " ")
    private static let blanks = " \t\r".utf8
}
