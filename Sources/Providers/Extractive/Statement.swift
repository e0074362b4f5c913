internal import Markdown

/// What a passage says that can be quoted alone: a sentence, a row of a table, code, or a sentence with what it
/// introduces.
struct Statement {
    /// The headings of the table whose rows it is, with the rule below them.
    let head: String?
    /// All but these headings, which are the same for all rows: what is compared with a question.
    let content: String

    /// As it is shown.
    var text: String { head.map { "\($0)\n\(content)" } ?? content }

    private init(_ content: String, below head: String? = nil) {
        self.content = content
        self.head = head
    }

    /// The rows of both, which are of one table.
    func joined(with other: Statement) -> Statement {
        Statement("\(content)\n\(other.content)", below: head)
    }

    /// The statements of a passage in their order; `opening` is what stands above it when it begins within code or a
    /// table.
    static func all(of passage: String, below opening: String?) -> [Statement] {
        var statements: [Statement] = []
        var rest = Block.all(of: passage, below: opening)[...]
        while let block = rest.popFirst() {
            switch block.kind {
            case .heading: break
            case .code: statements.append(Statement(block.text))
            case .row(let head):
                guard says(block.text) else { continue }
                let row = block.text.quotable
                statements.append(Statement(row, below: head?.quotable))
            case .item(let mark):
                var sentences = sentences(of: String(block.text.dropFirst(mark.length)))
                Introduction.join(&sentences, &rest, within: block.indent)
                statements += sentences.map { Statement($0) }
            case .prose:
                var sentences = sentences(of: block.text)
                Introduction.join(&sentences, &rest)
                statements += sentences.map { Statement($0) }
            }
        }
        return statements
    }

    /// A line of links is a signpost.
    private static func says(_ text: String) -> Bool {
        text.replacing(link, with: "").contains { $0.isLetter || $0.isNumber }
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
                sentences.append(sentence)
                sentence = ""
            }
        }
        return (sentences + [sentence]).filter(says).map(\.quotable)
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
