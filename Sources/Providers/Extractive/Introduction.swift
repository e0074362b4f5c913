internal import Markdown

/// A sentence with what it introduces: the code, the list or the table below it, without which it says half.
enum Introduction {
    /// Words up to which a list or a table is shown with its introduction.
    private static let longList = 120

    /// Joins the last of these sentences to the blocks that follow, and takes these away. Of a list that is too long it
    /// gets the beginning, and the list remains, each item to be quoted on its own. `indent` is that of the item whose
    /// sentences they are, nil for a paragraph.
    static func join(
        _ sentences: inout [String], _ rest: inout ArraySlice<Block>, within indent: Int? = nil
    ) {
        guard let last = sentences.last, let first = rest.first else { return }
        let joined: String
        switch first.kind {
        case .code where last.hasSuffix(":"):
            rest.removeFirst()
            joined = first.text
        case .item(let mark) where last.hasSuffix(":") || mark.number == 1:
            guard first.indent > indent ?? -1 else { return }
            joined = list(&rest, from: first.indent)
        case .row(let head) where last.hasSuffix(":") && indent == nil:
            let rows = list(&rest, from: 0)
            joined = head.map { "\($0.quotable)\n\(rows)" } ?? rows
        default: return
        }
        sentences[sentences.count - 1] = "\(last)\n\n\(joined)"
    }

    private static func list(_ rest: inout ArraySlice<Block>, from indent: Int) -> String {
        let blocks = rest.prefix { belongs($0, to: rest.first, indent) }
        var words = 0
        let shown = blocks.prefix { block in
            words += Words.count(in: block.text)
            return words <= longList || block.text == blocks.first?.text
        }
        var lines = shown.map { block in
            let margin = String(repeating: " ", count: max(0, block.indent - indent))
            if case .code = block.kind {
                return block.text.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { margin + $0 }.joined(separator: "\n")
            }
            return margin + block.text.quotable
        }
        if shown.count == blocks.count {
            rest = rest[blocks.endIndex...]
        } else {
            lines.append("…")
        }
        return lines.joined(separator: "\n")
    }

    /// Whether a block goes on with the list or the table that `first` begins.
    private static func belongs(_ block: Block, to first: Block?, _ indent: Int) -> Bool {
        switch (first?.kind, block.kind) {
        case (.row, .row): true
        case (.item, .item): block.indent >= indent
        case (.item, .prose), (.item, .code): block.indent > indent
        default: false
        }
    }
}
