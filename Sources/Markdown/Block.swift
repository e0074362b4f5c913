/// A part of a text in Markdown that stands for itself.
package struct Block: Sendable {
    /// What it is.
    package enum Kind: Sendable {
        /// A paragraph, its lines joined.
        case prose
        /// An item of a list with its mark, its lines joined.
        case item(ListMark)
        /// A row of a table; the table's headings with the rule below them, where the text has them.
        case row(head: String?)
        /// Between fences of its own, its lines as they are.
        case code
        /// Nothing to quote: it parts what stands above it from what stands below.
        case heading
    }

    package let kind: Kind
    /// Without what marks it, but for items and code.
    package let text: String
    /// Blanks before its first line: what belongs to an item of a list stands further in than the item.
    package let indent: Int

    /// The blocks of a text; `opening` are the lines above it when it begins within fenced code or a table: the one
    /// that opened the code, or the table's headings with the rule below them.
    package static func all(of text: String, below opening: String?) -> [Block] {
        var reader = BlockReader(below: opening)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (line, next) in zip(lines, lines.dropFirst() + [""]) { reader.take(line, before: next) }
        reader.end()
        return reader.blocks
    }
}

/// Reads a text line by line.
private struct BlockReader {
    var blocks: [Block] = []
    /// A paragraph or an item that goes on.
    private var current = ""
    private var mark: ListMark?
    private var indent = 0
    /// Of the table in which the next line stands.
    private var head: String?
    private var fence: CodeFence?
    /// Lines since the fence, and `…` where the text begins or ends within the code.
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
            if line.hasPrefix("#") || mark != nil { closeText() }
            current = ""
            head = nil
            append(.heading, "")
        } else if TableRule.matches(next.utf8) {
            closeText()
            head = "\(line)\n\(trimmed(next))"
        } else if TableRule.matches(line.utf8) {
            closeText()
        } else if isRow(line) {
            closeText()
            append(.row(head: head), String(line))
        } else {
            takeText(line, indent: whole.prefix { $0 == " " }.count)
        }
    }

    mutating func end() {
        closeText()
        guard let fence else { return }
        code.append("…")
        closeCode(fence)
    }

    /// A table may do without the bars before its rows; where its headings have one, a row without is cut.
    private func isRow(_ line: Substring) -> Bool {
        guard let head, !head.hasPrefix("|") else { return line.hasPrefix("|") }
        return line.contains("|")
    }

    /// In the middle of a paragraph a number is a part of its text, but for the first one.
    private mutating func takeText(_ line: Substring, indent: Int) {
        let mark = ListMark.read(line.utf8).flatMap { mark in
            let mayBegin = current.isEmpty || self.mark != nil || (mark.number ?? 1) == 1
            return mayBegin ? mark : nil
        }
        if mark != nil { closeText() }
        if current.isEmpty {
            (self.mark, self.indent) = (mark, indent)
        } else {
            current.append(" ")
        }
        // A line that is broken on purpose ends so; here it is joined to the next one.
        current.append(contentsOf: line.hasSuffix("\\") ? line.dropLast() : line)
    }

    private mutating func closeText() {
        if !current.isEmpty { append(mark.map { .item($0) } ?? .prose, current) }
        (current, mark) = ("", nil)
    }

    private mutating func closeCode(_ fence: CodeFence) {
        if code.contains(where: { $0 != "…" }) {
            blocks.append(Block(kind: .code, text: fence.enclose(code), indent: fence.indent))
        }
        (self.fence, code) = (nil, [])
    }

    private mutating func append(_ kind: Block.Kind, _ text: String) {
        blocks.append(Block(kind: kind, text: text, indent: indent))
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
