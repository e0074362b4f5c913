/// Bytes of a page that are read, at most.
private let largestPage = 32 << 20

/// The readable text of a page, in UTF-8 or in the character set that it names.
///
/// Scripts, styles, navigation and controls are left out. At most 32 MiB and 256 levels.
package func extract(_ html: [UInt8]) throws(HTMLError) -> Text {
    guard html.count <= largestPage else { throw .tooLarge(limit: largestPage) }
    guard !html.isEmpty else { return Text(title: nil, blocks: []) }
    let page = try Page(html)
    var extraction = Extraction()
    try page.walk(skips: Extraction.dropped.contains) { event in
        extraction.read(event)
    }
    return extraction.finish()
}

/// Collects text and cuts it into blocks where block elements begin and end.
private struct Extraction {
    static let dropped: Set<String> = [
        "script", "style", "nav", "noscript", "template", "svg", "iframe", "object", "button",
        "select", "textarea", "canvas", "audio", "video",
    ]

    private static let lists: Set<String> = ["ol", "ul", "dl"]

    /// Elements that break the text without giving it another kind.
    private static let neutral: Set<String> = [
        "html", "body", "p", "div", "section", "article", "main", "header", "footer", "aside",
        "blockquote", "figure", "figcaption", "address", "thead", "tbody", "tfoot", "caption",
        "ul", "ol", "dl", "form", "fieldset", "hr", "details", "summary", "center",
    ]

    private enum Kind { case paragraph, heading(Int), preformatted, item, title }

    private var text = Text(title: nil, blocks: [])
    private var kinds: [Kind] = [.paragraph]
    private var pending = ""
    private var tables: [Table] = []
    /// The numbers of the last items of the lists that have begun, nil where a list has none.
    private var lists: [Int?] = []

    mutating func read(_ event: Page.Event) {
        switch event {
        case .text(let text):
            pending += text
        case .begin("br"):
            pending += "\n"
        case .begin("table"):
            flush()
            tables.append(Table())
        case .end("table"):
            flush()
            endTable()
        case .begin("tr"):
            flush()
        case .end("tr"):
            endRow()
        case .cell(let isHeading, let columns, let rows):
            beginCell(isHeading: isHeading, columns: columns, rows: rows)
        case .begin(let name):
            guard let kind = kind(of: name) else { return }
            separate()
            kinds.append(kind)
            count(name)
        case .end(let name):
            guard kind(of: name) != nil else { return }
            separate()
            kinds.removeLast()
            if Self.lists.contains(name) { _ = lists.popLast() }
        }
    }

    private mutating func count(_ name: String) {
        switch name {
        case "ol": lists.append(0)
        case "ul", "dl": lists.append(nil)
        case "li":
            guard let last = lists.indices.last, let number = lists[last] else { return }
            lists[last] = number + 1
        default: break
        }
    }

    /// Where a block element begins or ends; in a cell of a table with headings nothing does.
    private mutating func separate() {
        if tables.last?.hasHeadings == true { pending += " " } else { flush() }
    }

    /// A table without headings may be there for its looks alone, and hold the whole page.
    private mutating func beginCell(isHeading: Bool, columns: Int, rows: Int) {
        guard let last = tables.indices.last else { return }
        if isHeading { tables[last].hasHeadings = true }
        if tables[last].hasHeadings {
            endCell()
            tables[last].begin(isHeading: isHeading, columns: columns, rows: rows)
        } else if pending.contains(where: { !$0.isWhitespace }) {
            pending += " | "
        }
    }

    private mutating func endCell() {
        guard let last = tables.indices.last, tables[last].isInCell else { return }
        tables[last].end(line(pending))
        pending = ""
    }

    private mutating func endRow() {
        endCell()
        guard let last = tables.indices.last, tables[last].hasHeadings else { return flush() }
        pending = ""
        tables[last].endRow()
    }

    private mutating func endTable() {
        guard let table = tables.popLast(), table.head != nil || !table.rows.isEmpty else { return }
        text.blocks.append(.table(head: table.head, rows: table.rows))
    }

    mutating func finish() -> Text {
        flush()
        return text
    }

    /// What a block element makes of its text; nil for an element within a line.
    private func kind(of name: String) -> Kind? {
        switch name {
        case "h1", "h2", "h3", "h4", "h5", "h6": .heading(name.last?.wholeNumberValue ?? 1)
        case "pre", "listing", "xmp", "plaintext": .preformatted
        case "li", "dt", "dd": .item
        case "title": .title
        default: Self.neutral.contains(name) ? kinds.last ?? .paragraph : nil
        }
    }

    private mutating func flush() {
        defer { pending = "" }
        let line = line(pending)
        guard !line.isEmpty else { return }
        switch kinds.last ?? .paragraph {
        case .paragraph: text.blocks.append(.paragraph(text: line))
        case .heading(let level): text.blocks.append(.heading(level: level, text: line))
        case .item:
            let depth = max(0, lists.count - 1)
            text.blocks.append(.item(text: line, number: lists.last ?? nil, depth: depth))
        case .preformatted: text.blocks.append(.preformatted(text: withoutEmptyEnds(pending)))
        case .title: text.title = text.title ?? line
        }
    }

    private func line(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Preformatted text without line ends before and behind it.
    private func withoutEmptyEnds(_ text: String) -> String {
        let start = text.drop(while: \.isNewline)
        let end = start.reversed().drop(while: \.isWhitespace)
        return String(end.reversed())
    }
}
