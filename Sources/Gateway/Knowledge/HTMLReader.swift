internal import HTML
internal import Markdown

/// A page, as the Markdown that says the same: models read it, and clients show it. Navigation, scripts and what is
/// hidden are left out.
enum HTMLReader {
    static func read(_ bytes: [UInt8]) throws(UnreadableDocument) -> DocumentText {
        let page: Text
        do {
            page = try extract(bytes)
        } catch {
            throw UnreadableDocument(description: error.description)
        }
        var document = DocumentText(title: page.title, utf8: [])
        var headings: [(level: Int, text: String)] = []
        for block in page.blocks {
            let opening: String?
            let text: String
            switch block {
            case .heading(let level, let heading):
                headings.removeAll { $0.level >= level }
                headings.append((level, heading))
                _ = document.append(String(repeating: "#", count: level) + " " + heading)
                if document.title == nil { document.title = heading }
                continue
            case .paragraph(let paragraph):
                (opening, text) = (nil, plain(paragraph))
            case .item(let item, let number, let depth):
                let margin = String(repeating: "   ", count: depth)
                (opening, text) = (nil, margin + (number.map { "\($0). " } ?? "- ") + plain(item))
            case .preformatted(let code):
                (opening, text) = fenced(code)
            case .table(let head, let rows):
                // A client leaves out cells beyond the headings.
                let width = rows.map(\.count).max() ?? 0
                opening = head.map { head in
                    let cells =
                        head.map(inline) + Array(repeating: "", count: max(0, width - head.count))
                    return "\(line(cells))\n\(line(cells.map { _ in "---" }))"
                }
                text = rows.map { line($0.map(inline)) }.joined(separator: "\n")
            }
            document.append(text, below: opening, under: headings.map(\.text))
        }
        return document
    }

    /// A fence, and all that follows it.
    private static func fenced(_ code: String) -> (String, String) {
        let fence = CodeFence.around(code)
        return (fence, "\(code)\n\(fence)")
    }

    /// Text that Markdown takes for no heading, quotation, item or row either.
    private static func plain(_ text: String) -> String {
        let text = inline(text)
        if text.first.map("#>|+-".contains) == true { return "\\" + text }
        return text.replacing(#/^([0-9]{1,9})([.)]\s)/#, maxReplacements: 1) { match in
            "\(match.1)\\\(match.2)"
        }
    }

    /// Text that is nothing else in Markdown: a page about `<b>` does not become bold.
    private static func inline(_ text: String) -> String {
        text.replacing(#/[\\*<]|\](?=\()/#) { match in
            match.0 == "]" ? "]\\" : "\\\(match.0)"
        }
    }

    /// A row of a table; a bar within a cell does not end it.
    private static func line(_ cells: [String]) -> String {
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
}

extension DocumentText {
    /// Appends a block, and what cannot be read without its opening lines as enclosed by them.
    fileprivate mutating func append(
        _ text: String, below opening: String?, under headings: [String]
    ) {
        let whole = opening.map { text.isEmpty ? $0 : "\($0)\n\(text)" } ?? text
        let bytes = append(whole)
        guard !bytes.isEmpty else { return }
        blocks.append(.init(headings: headings, bytes: bytes))
        guard let opening else { return }
        let end = bytes.lowerBound + opening.utf8.count
        enclosures.append(.init(opening: bytes.lowerBound..<end, bytes: end..<bytes.upperBound))
    }

    /// Appends a paragraph and returns where it stands.
    fileprivate mutating func append(_ text: String) -> Range<Int> {
        if !utf8.isEmpty { utf8 += [ASCII.lineFeed, ASCII.lineFeed] }
        let start = utf8.count
        utf8 += text.utf8
        return start..<utf8.count
    }
}
