import JSON
import OpenAI
import Testing

@Suite struct CitationTests {
    private func citation(url: String?) -> Citation {
        var best = Citation.Passage("Open at nine.")
        best.page = 3
        best.score = 0.85
        var other = Citation.Passage("Closed\n\non Sundays.")
        other.heading = "Sundays"
        other.score = 0.5
        var citation = Citation(
            number: 2, title: "Handbook [1]", sourceID: "doc_7", passages: [best, other])
        citation.url = url
        return citation
    }

    private func json(_ value: Value) throws -> Node { try Document(value.encoded()).root }

    @Test("a link becomes a url_citation with the place of its number")
    func annotation() throws {
        let node = try json(citation(url: "https://example.org/h").annotation(in: "Nine [2]."))
        #expect(node["type"]?.string == "url_citation")
        #expect(node["url_citation"]?["start_index"]?.integer == 5)
        #expect(node["url_citation"]?["end_index"]?.integer == 8)
        #expect(node["url_citation"]?["url"]?.string == "https://example.org/h")
    }

    @Test(
        "without a link that may be shown it is a file_citation",
        arguments: [
            nil, "javascript:alert(1)", "file:///etc/passwd", "https://a b", "data:,x",
        ])
    func file(_ url: String?) throws {
        let node = try json(citation(url: url).annotation(in: ""))
        #expect(node["type"]?.string == "file_citation")
        #expect(node["file_citation"]?["file_id"]?.string == "doc_7")
    }

    @Test("a reply tells the headings and the page that all passages share")
    func shared() throws {
        func read(_ headings: [String?], pages: [Int?] = []) throws -> Node {
            var citation = Citation(number: 1, title: "T", sourceID: "doc_1", passages: [])
            citation.passages = headings.map { heading in
                var passage = Citation.Passage("x")
                passage.heading = heading
                return passage
            }
            for (index, page) in pages.enumerated() { citation.passages[index].page = page }
            return try json(citation.value)
        }
        for (headings, shared) in [
            (["A > B > C"], "A > B > C"), (["A > B", "A > B > C"], "A > B"),
            (["A > B", "A > C"], "A"), (["A > B", "AB"], nil), (["A", nil], nil), ([], nil),
        ] as [([String?], String?)] {
            #expect(try read(headings)["heading"]?.string == shared, "\(headings)")
        }
        #expect(try read(["A", "A"], pages: [2, 2])["page"]?.integer == 2)
        #expect(try read(["A", "A"], pages: [2, 3])["page"] == nil)
    }

    @Test("a reply tells all that was read, and how well the best of it fits")
    func value() throws {
        let node = try json(citation(url: "https://example.org/h").value)
        #expect(node["excerpt"]?.string == "Open at nine.\n\n[…]\n\nClosed\n\non Sundays.")
        #expect(node["page"]?.integer == 3 && node["score"]?.number == 0.85)
        #expect(node["heading"] == nil)
    }

    @Test("the source event has id, name, each passage with its page from 0, heading and score")
    func source() throws {
        let node = try json(citation(url: "https://example.org/h").sourceEvent())
        #expect(node["type"]?.string == "source")
        let data = try #require(node["data"])
        #expect(data["type"] == nil)
        #expect(data["source"]?["id"]?.string == "doc_7#2")
        #expect(data["source"]?["name"]?.string == "Handbook [1]")
        #expect(data["source"]?["url"]?.string == "https://example.org/h")
        #expect(data["document"]?[0]?.string == "Open at nine.")
        #expect(data["metadata"]?[0]?["source"]?.string == "doc_7#2")
        #expect(data["metadata"]?[0]?["page"]?.integer == 2)
        #expect(data["distances"]?[0]?.number == 0.85)
        #expect(data["document"]?[1]?.string == "Closed\n\non Sundays.")
        #expect(data["metadata"]?[1]?["heading"]?.string == "Sundays")
        #expect(data["distances"]?[1]?.number == 0.5)
    }

    @Test(
        "the browser is told no host that is not public",
        arguments: [
            "http://wiki/page", "https://wiki.internal/x", "http://10.0.0.1/",
            "https://192.168.1.9:8443/a",
            "http://[::1]/", "http://localhost:3000", "https://user@evil.org/", "http://a.b.local.",
            "http://0x7f.1/", "https://nas.home.arpa/",
        ])
    func internalHosts(_ url: String) throws {
        let node = try json(citation(url: url).sourceEvent())
        #expect(!text(node.bytes).contains(url))
        #expect(node["data"]?["source"]?["url"] == nil)
    }

    @Test("each source is an event of its own with an empty list of choices")
    func chunks() throws {
        let template = ChunkTemplate(id: "c", created: 1, model: "m")
        var other = citation(url: nil)
        other.passages = [Citation.Passage(String(repeating: "\u{1}é😀\"", count: 1000))]
        let chunks = try events(template.sources([citation(url: nil), other]))
        #expect(chunks.count == 2)
        #expect(chunks.allSatisfy { $0.root["choices"].map { text($0.bytes) } == "[]" })
        #expect(chunks.last?.root["event"]?["data"]?["distances"] == nil)
        let delta = try events(template.annotations([citation(url: nil)])).first?.root
        #expect(delta?["choices"]?[0]?["delta"]?["annotations"]?.count == 1)
    }

    @Test("the markdown block escapes titles and shows links")
    func markdown() {
        #expect(Citation.markdown([]).isEmpty)
        #expect(
            Citation.markdown([citation(url: "https://example.org/(h)")])
                == "\n\n---\n**Sources:**\n- [2] [Handbook \\[1\\]](<https://example.org/(h)>), page 3\n"
        )
    }
}
