/// What a passage says that can be quoted alone: a sentence, a row of a table, code, or a sentence that ends in a colon
/// together with what follows it.
struct Statement {
    /// The headings of the table whose rows it is, with the rule below them.
    private let head: String?
    /// All but these headings, which are the same for all rows: what is compared with a question.
    let content: String

    /// As it is shown.
    var text: String { head.map { "\($0)\n\(content)" } ?? content }

    private init(_ content: String, below head: String? = nil) {
        self.content = content
        self.head = head
    }

    /// The rows of both, if they are of one table.
    func joined(with other: Statement) -> Statement? {
        guard let head, head == other.head else { return nil }
        return Statement("\(content)\n\(other.content)", below: head)
    }

    /// Words up to which a list or a table stands with the sentence that introduces it.
    private static let longList = 120

    /// The statements of a passage in their order; `opening` is what stands above it when it begins within code or a
    /// table.
    static func all(of passage: String, below opening: String?) -> [Statement] {
        var statements: [Statement] = []
        var rest = Block.all(of: passage, below: opening)[...]
        while let block = rest.popFirst() {
            switch block {
            case .heading: break
            case .code(let code): statements.append(Statement(code))
            case .row(let row, let head):
                statements.append(Statement(row, below: head))
            case .item(let item):
                let text = item.dropFirst(ListMark.read(item[...])?.length ?? 0)
                var sentences = sentences(of: String(text))
                if case .code = rest.first { introduce(&sentences, &rest) }
                statements += sentences.map { Statement($0) }
            case .prose(let prose):
                var sentences = sentences(of: prose)
                introduce(&sentences, &rest)
                statements += sentences.map { Statement($0) }
            }
        }
        // A line of links is a signpost.
        return statements.filter {
            Words.count(in: $0.content) >= 3
                && Words.count(in: $0.content.replacing(link, with: "")) > 0
        }
    }

    /// Joins a last sentence that ends in a colon to the code, the list or the table below it, which without it says
    /// half. Of a long one it gets the beginning, and all of it remains to be quoted on its own.
    private static func introduce(_ sentences: inout [String], _ rest: inout ArraySlice<Block>) {
        guard let last = sentences.last, last.hasSuffix(":") else { return }
        if case .code(let code) = rest.first {
            rest.removeFirst()
            sentences[sentences.count - 1] = "\(last)\n\n\(code)"
            return
        }
        var lines: [String] = []
        var words = 0
        var end = rest.startIndex
        while let line = listed(rest[end...]) {
            words += Words.count(in: line)
            if words > longList, !lines.isEmpty { break }
            lines.append(line)
            end += 1
        }
        guard let first = rest.first, !lines.isEmpty else { return }
        let isWhole = listed(rest[end...]) == nil
        if case .row(_, let head?) = first { lines.insert(head, at: 0) }
        if !isWhole { lines.append("…") }
        if isWhole { rest = rest[end...] }
        sentences[sentences.count - 1] = "\(last)\n\n\(lines.joined(separator: "\n"))"
    }

    /// The first block as a line of a list or a table.
    private static func listed(_ blocks: ArraySlice<Block>) -> String? {
        switch blocks.first {
        case .item(let line), .row(let line, _): line
        default: nil
        }
    }

    private static var link: Regex<Substring> { #/!?\[[^\]]*\]\([^)]*\)/# }

    private static func sentences(of text: String) -> [String] {
        var sentences: [String] = []
        var sentence = ""
        var code = InlineCode.parts(of: text[...]).code[...]
        let words = text.split(whereSeparator: \.isWhitespace)
        for (index, word) in words.enumerated() {
            if !sentence.isEmpty { sentence.append(" ") }
            sentence.append(contentsOf: word)
            let next = index + 1 < words.count ? words[index + 1] : nil
            code = code.drop { $0.upperBound <= word.endIndex }
            let isInCode = code.first.map { $0.lowerBound < word.endIndex } ?? false
            if !isInCode && endsSentence(word, before: next) || sentence.utf8.count > 600 {
                sentences.append(InlineCode.closed(sentence))
                sentence = ""
            }
        }
        return sentence.isEmpty ? sentences : sentences + [InlineCode.closed(sentence)]
    }

    private static func endsSentence(_ word: Substring, before next: Substring?) -> Bool {
        let bare = word.trimmingSuffix { "\"'”’)]»".contains($0) }
        guard let last = bare.last, ".!?…。".contains(last) else { return false }
        guard let next else { return true }
        // "e.g.", "Dr.", "3." and initials go on.
        let stem = bare.dropLast()
        let isShort = last == "." && (stem.count < 3 || stem.contains("."))
        return !isShort && next.first?.isLowercase == false
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ drops: (Character) -> Bool) -> Substring {
        guard let last = lastIndex(where: { !drops($0) }) else { return "" }
        return self[...last]
    }
}
