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

    /// Elements that break the text without giving it another kind.
    private static let neutral: Set<String> = [
        "html", "body", "p", "div", "section", "article", "main", "header", "footer", "aside",
        "blockquote", "figure", "figcaption", "address", "table", "thead", "tbody", "tfoot", "tr",
        "caption", "ul", "ol", "dl", "form", "fieldset", "hr", "details", "summary", "center",
    ]

    private enum Kind { case paragraph, heading(Int), preformatted, item, title }

    private var text = Text(title: nil, blocks: [])
    private var kinds: [Kind] = [.paragraph]
    private var pending = ""

    mutating func read(_ event: Page.Event) {
        switch event {
        case .text(let text):
            pending += text
        case .begin("br"):
            pending += "\n"
        case .begin("td"), .begin("th"):
            if pending.contains(where: { !$0.isWhitespace }) { pending += " | " }
        case .begin(let name):
            guard let kind = kind(of: name) else { return }
            flush()
            kinds.append(kind)
        case .end(let name):
            guard kind(of: name) != nil else { return }
            flush()
            kinds.removeLast()
        }
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
        let line = pending.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !line.isEmpty else { return }
        switch kinds.last ?? .paragraph {
        case .paragraph: text.blocks.append(.paragraph(text: line))
        case .heading(let level): text.blocks.append(.heading(level: level, text: line))
        case .item: text.blocks.append(.item(text: line))
        case .preformatted: text.blocks.append(.preformatted(text: withoutEmptyEnds(pending)))
        case .title: text.title = text.title ?? line
        }
    }

    /// Preformatted text without line ends before and behind it.
    private func withoutEmptyEnds(_ text: String) -> String {
        let start = text.drop(while: \.isNewline)
        let end = start.reversed().drop(while: \.isWhitespace)
        return String(end.reversed())
    }
}
