import Testing

@testable import Gateway

@Suite("A document reader")
struct KnowledgeReaderTests {
    /// The blocks as "headings: text".
    func blocks(_ document: DocumentText) -> [String] {
        document.blocks.map { block in
            block.headings.joined(separator: " > ") + ": " + document.text(block.bytes)
        }
    }

    func markdown(_ text: String) throws -> DocumentText {
        try #require(DocumentReader(name: "a.md")).read(Array(text.utf8))
    }

    @Test("knows formats by the end of the name")
    func formats() {
        #expect(DocumentReader(name: "a.MD") == .markdown)
        #expect(DocumentReader(name: "a.b.markdown") == .markdown)
        #expect(DocumentReader(name: "a.text") == .plain)
        #expect(DocumentReader(name: "a.htm") == .html)
        for name in ["a", ".md", "a.pdf", "a.md~", "", "md"] {
            #expect(DocumentReader(name: name) == nil)
        }
    }

    @Test("follows the headings of Markdown, in both forms")
    func headings() throws {
        let document = try markdown(
            """
            # Staff *handbook* ##

            Welcome.

            ## Leave {#leave}
            Thirty days.
            Ask early.

            ### [Sickness](http://x/)

            Call us.

            Travel
            ------
            Second class.

            #hashtag is no heading
            """)
        #expect(document.title == "Staff handbook")
        #expect(
            blocks(document) == [
                "Staff handbook: Welcome.",
                "Staff handbook > Leave: Thirty days.\nAsk early.",
                "Staff handbook > Leave > Sickness: Call us.",
                "Staff handbook > Travel: Second class.",
                "Staff handbook > Travel: #hashtag is no heading",
            ])
    }

    @Test("leaves code alone, with its empty lines and its hashes")
    func code() throws {
        let document = try markdown(
            "# A\n\n```sh\n# no heading\n\n~~~\n---\n```\n\n    # nor this\n")
        #expect(
            blocks(document) == [
                "A: ```sh\n# no heading\n\n~~~\n---\n```", "A:     # nor this",
            ])
    }

    @Test("drops front matter, and takes the title from it")
    func frontMatter() throws {
        let document = try markdown(
            "---\ntitle: \"Our leave\"\ntags: [a]\n---\n# Leave\nThirty days.\n")
        #expect(document.title == "Our leave")
        #expect(blocks(document) == ["Leave: Thirty days."])
        let other = try markdown("---\nno front matter\n")
        #expect(blocks(other) == [": no front matter"])
        #expect(try markdown("---\ntitle: x\n---").blocks.isEmpty)
    }

    @Test("drops rules and lines of comment")
    func rules() throws {
        let document = try markdown("One.\n\n* * *\n\n<!-- TODO -->\nTwo.\n\n- a\n- b\n")
        #expect(blocks(document) == [": One.", ": Two.", ": - a\n- b"])
    }

    @Test("reads text by paragraphs, whatever its line ends")
    func text() throws {
        let reader = try #require(DocumentReader(name: "a.txt"))
        for end in ["\n", "\r\n", "\r"] {
            let text = "\u{FEFF}# One\(end)two\(end) \(end)\(end)three\(end)"
            #expect(blocks(try reader.read(Array(text.utf8))) == [": # One\ntwo", ": three"])
        }
    }

    @Test("refuses what is not text", arguments: [[0x41, 0, 0x42], [0xFF, 0xFE, 0x41], [0xC3]])
    func binary(bytes: [UInt8]) throws {
        let reader = try #require(DocumentReader(name: "a.md"))
        #expect(throws: UnreadableDocument.self) { try reader.read(bytes) }
    }

    @Test("reads pages under their headings")
    func html() throws {
        let reader = try #require(DocumentReader(name: "a.html"))
        let page = """
            <html><head><title>Leave</title><script>bad()</script></head><body><h1>Staff</h1><p>Hello
            you.</p><h2>Leave</h2><ul><li>Thirty days</li></ul></body></html>
            """
        let document = try reader.read(Array(page.utf8))
        #expect(document.title == "Leave")
        #expect(blocks(document) == ["Staff: Hello you.", "Staff > Leave: - Thirty days"])
    }

    @Test("makes text of a page that Markdown takes for text")
    func plain() throws {
        let reader = try #require(DocumentReader(name: "a.html"))
        func markdown(_ page: String) throws -> String {
            let document = try reader.read(Array(page.utf8))
            return document.text(0..<document.utf8.count)
        }
        for (text, expected) in [
            ("&lt;script&gt;a &amp; b **c**", "\\<script>a & b \\*\\*c\\*\\*"),
            ("see [a](https://b.c), [1] and d[2]", "see [a]\\(https://b.c), [1] and d[2]"),
            ("# a", "\\# a"), ("7) a", "7\\) a"), ("12. b", "12\\. b"), ("- c", "\\- c"),
            ("2.5 d", "2.5 d"), ("> d", "\\> d"), ("| d", "\\| d"),
            ("C:\\e", "C:\\\\e"), ("f_g-h", "f_g-h"),
        ] {
            #expect(try markdown("<p>\(text)</p>") == expected)
            #expect(try markdown("<ul><li>\(text)</ul>") == "- " + expected)
        }
        #expect(try markdown("<pre>**a** &lt;b</pre>") == "```\n**a** <b\n```")
    }

    @Test("makes Markdown of a page, with what opens its code and its tables")
    func markdown() throws {
        let reader = try #require(DocumentReader(name: "a.html"))
        let page = """
            <h2>A</h2><pre>```\nb\n</pre><table><tr><th>c|d<th>e<tr><td>f<td>g<tr><td>h<td>i</table>
            <table><tr><th>j<td>k</table><pre>l</pre><ol><li>m<ul><li>n</ul><li>o</ol>
            """
        let document = try reader.read(Array(page.utf8))
        let text = """
            ## A

            ````
            ```
            b
            ````

            | c\\|d | e |
            | --- | --- |
            | f | g |
            | h | i |

            | j | k |

            ```
            l
            ```

            1. m

               - n

            2. o
            """
        #expect(document.text(0..<document.utf8.count) == text)
        let enclosures = document.enclosures.map {
            "\(document.text($0.opening)):\(document.text($0.bytes))"
        }
        #expect(
            enclosures == [
                "````:\n```\nb\n````",
                "| c\\|d | e |\n| --- | --- |:\n| f | g |\n| h | i |",
                "```:\nl\n```",
            ])
    }

    @Test("survives every cut of a document", arguments: ["md", "html", "txt"])
    func cuts(format: String) throws {
        let text = """
            ---
            title: T
            ---
            # A `b` [c](d) ##
            é😀
            ===
            ```
            x
            ~~~
            <p>y<h2>z</h2>
            """
        let reader = try #require(DocumentReader(name: "a.\(format)"))
        let bytes = Array(text.utf8)
        for end in 0...bytes.count {
            guard let document = try? reader.read(Array(bytes[..<end])) else { continue }
            for passage in PassageCutter(target: 5, longest: 7).passages(of: document) {
                #expect(!document.text(passage.bytes).isEmpty)
            }
        }
    }
}
