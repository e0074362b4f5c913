import Testing

@testable import Gateway

@Suite("The passage cutter")
struct KnowledgeCutterTests {
    func read(_ text: String) throws -> DocumentText {
        try #require(DocumentReader(name: "a.md")).read(Array(text.utf8))
    }

    @Test("puts short paragraphs of one heading together, never of two")
    func merges() throws {
        let document = try read("# A\n\none\n\ntwo\n\n## B\n\nthree\n\n# A\n\nfour\n")
        let passages = PassageCutter().passages(of: document)
        #expect(passages.map { document.text($0.bytes) } == ["one\n\ntwo", "three", "four"])
        #expect(passages.map(\.headings) == [["A"], ["A", "B"], ["A"]])
    }

    @Test("keeps passages near their length, with all words in order, spans exact")
    func lengths() throws {
        let words = (0..<6000).map { "wörd\($0)" + ($0 % 11 == 10 ? "." : "") }
        let paragraphs = stride(from: 0, to: words.count, by: 750).map {
            words[$0..<min($0 + 750, words.count)].joined(separator: " ")
        }
        let document = try read("# Title\n\n" + paragraphs.joined(separator: "\n\n"))
        let passages = PassageCutter().passages(of: document)
        let scalars = Array(String(decoding: document.utf8, as: UTF8.self).unicodeScalars)
        var found: [Substring] = []
        for passage in passages {
            let text = document.text(passage.bytes)
            #expect(passage.span.count <= 1350)
            var slice = String.UnicodeScalarView()
            slice.append(contentsOf: scalars[passage.span])
            #expect(String(slice) == text)
            found += text.split(whereSeparator: \.isWhitespace)
        }
        #expect(found.elementsEqual(words) { $0 == $1 })
        let full = passages.filter { $0.span.count >= 450 }
        #expect(full.count > passages.count / 2)
    }

    @Test("cuts where a sentence ends, and text without any blank between characters")
    func cuts() throws {
        let sentence = "This is one sentence of the text."
        let long = try read(Array(repeating: sentence, count: 100).joined(separator: " "))
        for passage in PassageCutter().passages(of: long) {
            #expect(long.text(passage.bytes).hasSuffix("text."))
        }
        let wall = try read(String(repeating: "漢", count: 5000))
        let passages = PassageCutter().passages(of: wall)
        #expect(passages.map(\.span.count).reduce(0, +) == 5000)
        #expect(passages.allSatisfy { wall.text($0.bytes).allSatisfy { $0 == "漢" } })
    }

    @Test("tells which passages begin in the middle of code, and in what code")
    func code() throws {
        let lines = (0..<200).map { "line \($0) of the code" }.joined(separator: "\n")
        let document = try read("# A\n\nSo:\n~~~~ sh\n\(lines)\n~~~\n~~~~~\nDone.\n\nAll is well.")
        let passages = PassageCutter().passages(of: document)
        #expect(passages.count > 3)
        #expect(passages.first?.opening == nil)
        for passage in passages.dropFirst() where passage != passages.last {
            #expect(passage.opening == "~~~~ sh")
        }
        let end = try read("```\na b c d\n```\n\nword word")
        let pieces = PassageCutter(target: 4, longest: 6).passages(of: end)
        #expect(
            pieces.map { "\($0.opening ?? "") \(end.text($0.bytes))" } == [
                " ```", "``` a b", "``` c d", "``` ```", " word", " word",
            ])
    }

    @Test("takes no sentence of broken lines apart, no item, and no row of a table")
    func units() throws {
        func pieces(_ lines: [String]) throws -> [String] {
            let document = try read(lines.joined(separator: "\n"))
            return PassageCutter().passages(of: document).map { document.text($0.bytes) }
        }
        let broken = Array(
            repeating: "This is a sentence that goes\non in the next line.", count: 60)
        for piece in try pieces(broken) {
            #expect(piece.hasPrefix("This") && piece.hasSuffix("line."))
        }
        let words = String(repeating: "some words. ", count: 20)
        let items = (1...30).map { "\($0). item \(words)\n   which is \(words)end" }
        for piece in try pieces(items) {
            #expect(piece.hasSuffix("end") && piece.first?.isNumber == true)
        }
        let rows = (1...30).map { "| row \($0) | \(words) \(words) |" }
        for piece in try pieces(["| a | b |", "|---|---|"] + rows).dropFirst() {
            #expect(piece.hasPrefix("| row") && piece.hasSuffix(" |"))
        }
        // A row that is far too long has to be cut after all.
        #expect(
            try pieces([
                "| a |", "|---|", "| \(words)\(words)\(words)\(words)\(words)\(words)\(words) |",
            ]).count > 1)
    }

    @Test("tells which passages begin in the middle of a table, and below which headings")
    func table() throws {
        let rows = (0..<200).map { "| row \($0) | of the table |" }.joined(separator: "\n")
        let document = try read(
            "So:\n\n| a | b |\n|---|--:|\n\(rows)\n\n# B\n\nDone.\n\na | b\n-|-\n1 | 2")
        let passages = PassageCutter().passages(of: document)
        #expect(passages.count > 3)
        #expect(passages.first?.opening == nil && passages.last?.opening == nil)
        for passage in passages.dropFirst() where passage != passages.last {
            #expect(passage.opening == "| a | b |\n|---|--:|")
        }
        let wide = String(repeating: "| heading ", count: 60)
        let unknown = try read("\(wide)\n|---|\n\(rows)")
        #expect(PassageCutter().passages(of: unknown).allSatisfy { $0.opening == nil })
    }

    @Test("takes time in proportion to the text, not to its square")
    func large() throws {
        let line = String(repeating: "lorem ipsum dolor ", count: 8) + "\n"
        for text in [
            String(repeating: line, count: 5_000), String(repeating: line + "\n", count: 5_000),
        ] {
            let document = try read(text)
            let clock = ContinuousClock()
            let time = clock.measure {
                #expect(PassageCutter().passages(of: document).count > 500)
            }
            #expect(time < .seconds(20))
        }
    }
}
