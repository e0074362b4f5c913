internal import HTML

/// A page: what it shows, without navigation and scripts.
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
            switch block {
            case .heading(let level, let text):
                headings.removeAll { $0.level >= level }
                headings.append((level, text))
                _ = document.append(text)
                if document.title == nil { document.title = text }
            case .paragraph(let text), .preformatted(let text), .item(let text):
                let bytes = document.append(text)
                guard !bytes.isEmpty else { continue }
                document.blocks.append(.init(headings: headings.map(\.text), bytes: bytes))
            }
        }
        return document
    }
}

extension DocumentText {
    /// Appends a paragraph and returns where it stands. U+0000, which PostgreSQL does not store, becomes U+FFFD.
    fileprivate mutating func append(_ text: String) -> Range<Int> {
        if !utf8.isEmpty { utf8 += [ASCII.lineFeed, ASCII.lineFeed] }
        let start = utf8.count
        utf8 += text.replacing("\0", with: "\u{FFFD}").utf8
        return start..<utf8.count
    }
}
