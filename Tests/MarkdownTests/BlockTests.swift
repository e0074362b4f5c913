import Markdown
import Testing

@Suite("Blocks of Markdown")
struct BlockTests {
    /// Kind, indentation and text of each block.
    private func blocks(_ text: String, below opening: String? = nil) -> [String] {
        Block.all(of: text, below: opening).map { block in
            switch block.kind {
            case .prose: "\(block.indent) \(block.text)"
            case .item(let mark): "\(block.indent) item \(mark.number ?? 0): \(block.text)"
            case .row(let head): "row \(head ?? "-"): \(block.text)"
            case .code: "\(block.indent) code \(block.text)"
            case .heading: "heading"
            }
        }
    }

    @Test("are paragraphs with their lines joined, parted by headings and rules")
    func paragraphs() {
        let text = "a\nb\\\n  c\n\n# D\ne\n\nf\n---\n> g\n> h\n\n---\n"
        #expect(blocks(text) == ["0 a b c", "heading", "0 e", "heading", "0 g h", "heading"])
        #expect(blocks("").isEmpty && blocks("\n \n").isEmpty)
    }

    @Test("are items with their marks, and tell how far in they stand")
    func items() {
        let text = "- a\n  b\n  + c\n10) d\ne\n\n   f\n* g\n1. h"
        #expect(
            blocks(text) == [
                "0 item 0: - a b", "2 item 0: + c", "0 item 10: 10) d e", "3 f", "0 item 0: * g",
                "0 item 1: 1. h",
            ])
        // In a sentence a number is none.
        #expect(
            blocks("it was in\n1984. And\n1. then") == [
                "0 it was in 1984. And", "0 item 1: 1. then",
            ])
        #expect(blocks("1234567890. a\n-b\n") == ["0 1234567890. a -b"])
    }

    @Test("are rows below the headings of their table, wherever that begins")
    func rows() {
        let table = "| a | b |\n|---|:-:|\n| c | d |\ne\n\n| f |\n"
        #expect(blocks(table) == ["row | a | b |\n|---|:-:|: | c | d |", "0 e", "row -: | f |"])
        #expect(blocks("a | b\n-|-\nc | d") == ["row a | b\n-|-: c | d"])
        #expect(
            blocks("d |\n| e |", below: "| a |\n|---|") == ["0 d |", "row | a |\n|---|: | e |"])
    }

    @Test("are code as it stands, closed where the text ends before it")
    func code() {
        #expect(
            blocks("  ~~~ sh\n  a\n   b\n  ~~~\nc") == ["2 code ```sh\na\n b\n```", "0 c"])
        #expect(blocks("a\n```\nb", below: "```sh") == ["0 code ```sh\n…\na\n```", "0 b"])
        #expect(blocks("```\na") == ["0 code ```\na\n…\n```"])
    }
}
