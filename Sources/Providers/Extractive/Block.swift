/// A part of a passage in Markdown that stands for itself.
enum Block {
    /// A paragraph, its lines joined.
    case prose(String)
    /// An item of a list with its mark, its lines joined.
    case item(String)
    /// A row of a table; the table's headings with the line below them, where the passage has them.
    case row(String, head: String?)
    /// Between fences of its own, its lines as they are.
    case code(String)
    /// Nothing to quote: it parts what stands above it from what stands below.
    case heading

    /// The blocks of a passage; `opening` is what stands above it when it begins within code or a table.
    static func all(of text: String, below opening: String?) -> [Block] {
        var reader = BlockReader(below: opening)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (line, next) in zip(lines, lines.dropFirst() + [""]) { reader.take(line, before: next) }
        reader.end()
        return reader.blocks
    }
}

/// Reads a passage line by line.
private struct BlockReader {
    var blocks: [Block] = []
    /// A paragraph or an item that goes on.
    private var current = ""
    private var isItem = false
    /// Of the table in which the next line stands.
    private var head: String?
    private var fence: CodeFence?
    /// Lines since the fence, and `…` where the passage begins or ends within the code.
    private var code: [Substring] = []

    init(below opening: String?) {
        fence = opening.flatMap { CodeFence(opening: $0.utf8) }
        if fence != nil { code = ["…"] } else { head = opening }
    }

    mutating func take(_ whole: Substring, before next: Substring) {
        if let fence {
            if fence.isClosed(by: whole.utf8) { closeCode(fence) } else { code.append(whole) }
            return
        }
        var line = trimmed(whole)
        if line.hasPrefix(">") { line = trimmed(line.dropFirst()) }
        if let opening = CodeFence(opening: whole.utf8) {
            closeText()
            fence = opening
        } else if line.isEmpty {
            closeText()
            head = nil
        } else if line.hasPrefix("#") || isUnderline(line) {
            if line.hasPrefix("#") || isItem { closeText() }
            current = ""
            head = nil
            blocks.append(.heading)
        } else if TableRule.matches(next.utf8) {
            closeText()
            head = "\(line)\n\(trimmed(next))"
        } else if TableRule.matches(line.utf8) {
            closeText()
        } else if isRow(line) {
            closeText()
            blocks.append(.row(String(line), head: head))
        } else {
            takeText(line)
        }
    }

    /// A table may do without the bars before its rows; where its headings have one, a row without is cut.
    private func isRow(_ line: Substring) -> Bool {
        guard let head, !head.hasPrefix("|") else { return line.hasPrefix("|") }
        return line.contains("|")
    }

    mutating func end() {
        closeText()
        guard let fence else { return }
        code.append("…")
        closeCode(fence)
    }

    private mutating func takeText(_ line: Substring) {
        if let mark = ListMark.read(line), isItem || current.isEmpty || mark.mayInterrupt {
            closeText()
            isItem = true
        }
        if !current.isEmpty { current.append(" ") }
        // A line that is broken on purpose ends so; here it is joined to the next one.
        current.append(contentsOf: line.hasSuffix("\\") ? line.dropLast() : line)
    }

    private mutating func closeText() {
        if !current.isEmpty { blocks.append(isItem ? .item(current) : .prose(current)) }
        (current, isItem) = ("", false)
    }

    private mutating func closeCode(_ fence: CodeFence) {
        if code.contains(where: { $0 != "…" }) { blocks.append(.code(fence.enclose(code))) }
        (self.fence, code) = (nil, [])
    }
}

/// What an item of a list begins with: `- `, `* `, `+ `, `1. ` or `1) `.
struct ListMark {
    let length: Int
    /// In the middle of a paragraph a number is a part of its text, but for the first one.
    let mayInterrupt: Bool

    static func read(_ line: Substring) -> ListMark? {
        if ["- ", "* ", "+ "].contains(where: { line.hasPrefix($0) }) {
            return ListMark(length: 2, mayInterrupt: true)
        }
        let digits = line.utf8.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard 1...9 ~= digits.count,
            [". ", ") "].contains(where: { line.dropFirst(digits.count).hasPrefix($0) })
        else { return nil }
        return ListMark(length: digits.count + 2, mayInterrupt: Array(digits) == Array("1".utf8))
    }
}

/// What makes the line above it a heading.
private func isUnderline(_ line: Substring) -> Bool {
    line.utf8.count >= 3 && ["=", "-"].contains { mark in line.allSatisfy { $0 == mark } }
}

private func trimmed(_ line: Substring) -> Substring {
    let start = line.drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return start[...last]
}
