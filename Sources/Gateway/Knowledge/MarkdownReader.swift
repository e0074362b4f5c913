internal import Markdown

/// Markdown, as far as headings and paragraphs go: the source stays as it is, since it is read by models
/// and shown by clients that know Markdown.
struct MarkdownReader {
    private var document: DocumentText
    private var headings: [(level: Int, text: String)] = []
    private var open: Range<Int>?
    private var openLines = 0
    /// The line before, in the same paragraph.
    private var previous: Range<Int>?
    /// Above the code which the line stands in.
    private var fence: CodeFence?
    private var isInTable = false

    static func read(_ utf8: [UInt8]) -> DocumentText {
        var reader = MarkdownReader(document: DocumentText(title: nil, utf8: utf8))
        let matter = FrontMatter(of: utf8)
        for line in Lines(of: utf8, from: matter?.end ?? 0) { reader.read(line) }
        reader.close()
        if let title = matter?.title { reader.document.title = title }
        return reader.document
    }

    private init(document: DocumentText) {
        self.document = document
    }

    private mutating func read(_ line: Range<Int>) {
        let bytes = document.utf8[line]
        let indent = bytes.prefix { $0 == ASCII.space }.count
        let content = bytes.dropFirst(indent)
        let isCode = indent > 3
        if isFenced(line) {
            isInTable = false
            extend(line)
        } else if content.allSatisfy(ASCII.isBlank) {
            close()
        } else if !isCode, let heading = Self.heading(content) {
            close()
            push(level: heading.level, text: heading.text)
        } else if !isCode, let level = Self.underline(content), openLines == 1, let open {
            let text = Self.plain(document.utf8[open])
            self.open = nil
            close()
            push(level: level, text: text)
        } else if !isCode, Self.isRule(content) || Self.isComment(content) {
            close()
        } else {
            readTable(line)
            extend(line)
        }
    }

    private mutating func extend(_ line: Range<Int>) {
        open = (open?.lowerBound ?? line.lowerBound)..<line.upperBound
        openLines += 1
        previous = line
    }

    private mutating func close() {
        if let bytes = open {
            document.blocks.append(.init(headings: headings.map(\.text), bytes: bytes))
        }
        open = nil
        openLines = 0
        previous = nil
        isInTable = false
    }

    private mutating func push(level: Int, text: String) {
        headings.removeAll { $0.level >= level }
        guard !text.isEmpty else { return }
        headings.append((level, text))
        if document.title == nil { document.title = text }
    }

    /// Whether the line is code between fences, or one of these.
    private mutating func isFenced(_ line: Range<Int>) -> Bool {
        let bytes = document.utf8[line]
        if let open = fence {
            enclose(line)
            if open.isClosed(by: bytes) { fence = nil }
            return true
        }
        fence = CodeFence(opening: bytes)
        guard fence != nil else { return false }
        enclose(below: line)
        return true
    }

    /// A table has its rule in its second line, and ends with the paragraph.
    private mutating func readTable(_ line: Range<Int>) {
        if isInTable {
            enclose(line)
        } else if let previous, TableRule.matches(document.utf8[line]) {
            isInTable = true
            enclose(below: previous.lowerBound..<line.upperBound)
        }
    }

    private mutating func enclose(below opening: Range<Int>) {
        document.enclosures.append(
            .init(opening: opening, bytes: opening.upperBound..<opening.upperBound))
    }

    private mutating func enclose(_ line: Range<Int>) {
        guard let last = document.enclosures.indices.last else { return }
        let start = document.enclosures[last].bytes.lowerBound
        document.enclosures[last].bytes = start..<line.upperBound
    }

    /// `## Text ##`
    private static func heading(_ content: ArraySlice<UInt8>) -> (level: Int, text: String)? {
        let hash = UInt8(ascii: "#")
        let level = content.prefix { $0 == hash }.count
        let rest = content.dropFirst(level)
        guard (1...6).contains(level), rest.first.map(ASCII.isBlank) ?? true else { return nil }
        var text = rest
        while let last = text.last, ASCII.isBlank(last) { text = text.dropLast() }
        let closing = text.reversed().prefix { $0 == hash }.count
        let opened = text.dropLast(closing)
        if closing > 0, opened.last.map(ASCII.isBlank) ?? true { text = opened }
        return (level, plain(text))
    }

    /// The second line of a heading: `====` or `----`.
    private static func underline(_ content: ArraySlice<UInt8>) -> Int? {
        var line = content
        while let last = line.last, ASCII.isBlank(last) { line = line.dropLast() }
        guard line.count >= 2, let first = line.first, line.allSatisfy({ $0 == first }) else {
            return nil
        }
        return first == UInt8(ascii: "=") ? 1 : first == UInt8(ascii: "-") ? 2 : nil
    }

    /// `---`, `***`, `___`, with or without blanks between.
    private static func isRule(_ content: ArraySlice<UInt8>) -> Bool {
        let marks = content.filter { !ASCII.isBlank($0) }
        guard marks.count >= 3, let first = marks.first, "-*_".utf8.contains(first) else {
            return false
        }
        return marks.allSatisfy { $0 == first }
    }

    /// A line that holds nothing but a comment.
    private static func isComment(_ content: ArraySlice<UInt8>) -> Bool {
        let line = String(decoding: content, as: UTF8.self)
        return line.hasPrefix("<!--") && line.firstRange(of: "-->")?.upperBound == line.endIndex
    }

    /// A heading's text: emphasis, code marks, link targets and `{#anchors}` left out, blanks single.
    private static func plain(_ content: ArraySlice<UInt8>) -> String {
        var text = String(decoding: content, as: UTF8.self)
        text = text.replacing(#/!?\[([^\]]*)\]\([^)]*\)/#) { $0.1 }
        text = text.replacing(#/\s*\{#[^}]*\}\s*$/#, with: "")
        text.removeAll { $0 == "*" || $0 == "`" }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

/// What stands between two lines `---` before everything else; not part of the text.
private struct FrontMatter {
    /// The value of `title:`.
    var title: String?
    /// Where the text begins.
    var end: Int

    init?(of utf8: [UInt8]) {
        var lines = Lines(of: utf8)
        guard let first = lines.next(), utf8[first].elementsEqual("---".utf8) else { return nil }
        var count = 0
        while let line = lines.next(), count < 500 {
            count += 1
            let text = String(decoding: utf8[line], as: UTF8.self)
            if text == "---" || text == "..." {
                end = min(line.upperBound + 1, utf8.count)
                return
            }
            guard title == nil, let match = text.wholeMatch(of: #/title:\s*(.+?)\s*/#) else {
                continue
            }
            title = String(match.1).trimmingQuotes
        }
        return nil
    }
}

extension String {
    fileprivate var trimmingQuotes: String {
        for quote in ["\"", "'"] where count >= 2 && hasPrefix(quote) && hasSuffix(quote) {
            return String(dropFirst().dropLast())
        }
        return self
    }
}
