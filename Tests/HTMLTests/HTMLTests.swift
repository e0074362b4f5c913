import HTML
import Testing

@Suite("HTML page")
struct HTMLTests {
    private func blocks(_ html: String) throws -> [Block] { try extract(Array(html.utf8)).blocks }

    @Test("becomes title, headings, paragraphs, items and preformatted text in order")
    func page() throws {
        let text = try extract(
            Array(
                """
                <!doctype html><html><head><title> Hand
                book </title><style>p {}</style></head><body>
                <nav><a href="/">Home</a></nav>
                <h1>Vacation</h1><p>You get <b>30</b>&nbsp;days&#33;
                <div>Ask <em>HR</em><ul><li>first<li><p>second</p></ul></div>
                <pre>
                a  =  1
                b
                </pre><script>alert("<p>no</p>")</script>
                <table><tr><th>Day</th><th>Hours</th></tr><tr><td>Mo</td><td>8</td></tr></table>
                one<br>two
                </body></html>
                """.utf8))
        #expect(text.title == "Hand book")
        #expect(
            text.blocks == [
                .heading(level: 1, text: "Vacation"), .paragraph(text: "You get 30 days!"),
                .paragraph(text: "Ask HR"), .item(text: "first", number: nil, depth: 0),
                .item(text: "second", number: nil, depth: 0),
                .preformatted(text: "a  =  1\nb"),
                .table(head: ["Day", "Hours"], rows: [["Mo", "8"]]), .paragraph(text: "one two"),
            ])
    }

    @Test("is read in UTF-8, or in the character set that it names")
    func characterSets() throws {
        #expect(try blocks("<p>Grüße 😀</p>") == [.paragraph(text: "Grüße 😀")])
        let latin = Array("<meta charset=iso-8859-1><p>Gr".utf8) + [0xFC] + Array("n</p>".utf8)
        #expect(try extract(latin).blocks == [.paragraph(text: "Grün")])
    }

    @Test("has tables where they have headings; one without may be there for its looks")
    func tables() throws {
        let data = """
            <table><caption>Hours</caption><thead><tr><th><p>Day</p><th>Open</thead><tbody>
            <tr><th>Mo<td><ul><li>8</li><li>14 <b>h</b></li></ul><tr><th>Tu<td></tr><tr><td> <td></tr>
            <tr><td><table><tr><td>a<td>b</table>c</table>d
            """
        #expect(
            try blocks(data) == [
                .paragraph(text: "Hours"), .paragraph(text: "a | b"),
                .table(head: ["Day", "Open"], rows: [["Mo", "8 14 h"], ["Tu", ""], ["c"]]),
                .paragraph(text: "d"),
            ])
        let layout = "<table><tr><td><h1>A</h1><p>b</p><td><pre>c</pre></table><th>d"
        #expect(
            try blocks(layout) == [
                .heading(level: 1, text: "A"), .paragraph(text: "b"), .preformatted(text: "c"),
                .paragraph(text: "d"),
            ])
    }

    @Test("numbers the items of lists, and tells how deep they stand")
    func lists() throws {
        let html =
            "<ol><li>a<ul><li>b<ol><li>c</ol></ul>d<li><p>e</p><p>f</p></ol><dl><dt>g<dd>h</dl><li>i"
        let items = try blocks(html).compactMap { block in
            if case .item(let text, let number, let depth) = block {
                "\(text) \(number.map(String.init) ?? "-") \(depth)"
            } else {
                nil
            }
        }
        #expect(
            items == [
                "a 1 0", "b - 1", "c 1 2", "d 1 0", "e 2 0", "f 2 0", "g - 0", "h - 0", "i - 0",
            ])
    }

    @Test("says in each row and column of a table what reaches over several")
    func spans() throws {
        let html = """
            <table><tr><th rowspan=2>Region<th colspan=2>Sales<th rowspan=2>Note</tr><tr><th>Q1<th>Q2</tr>
            <tr><td rowspan=3>South<td>1<td>2<td>x</tr><tr><td>3<td>4</tr><tr><td colspan=2>none<td>y</tr>
            <tr><td>North<td>5<td>6<td></tr></table>
            """
        #expect(
            try blocks(html) == [
                .table(
                    head: ["Region", "Sales Q1", "Sales Q2", "Note"],
                    rows: [
                        ["South", "1", "2", "x"], ["South", "3", "4"],
                        ["South", "none", "none", "y"],
                        ["North", "5", "6", ""],
                    ])
            ])
        let box = "<table><tr><th colspan=2>Canteen</tr><tr><th>Seats<td>240</tr></table>"
        #expect(
            try blocks(box) == [.table(head: ["Canteen", "Canteen"], rows: [["Seats", "240"]])])
        let huge = "<tr><th colspan=1000 rowspan=65000>a<td colspan=-1 rowspan=x>b</tr>"
        let rows = String(repeating: huge, count: 500)
        guard case .table(_, let read)? = try blocks("<table>\(rows)</table>").first else {
            Issue.record("no table")
            return
        }
        #expect(read.count == 500 && read.allSatisfy { $0.count <= 200 })
    }

    @Test("leaves out what a browser does not show")
    func hidden() throws {
        let html = """
            <p>a</p><p hidden>b</p><div hidden=""><p>c</p></div><p style="color: red">d</p>
            <p style="Display : none">e</p><span style="x:y;visibility:hidden"><b>f</b></span>g
            <a class="x headerlink" href="#g">¶</a><span class="mw-editsection">[edit]</span>
            """
        #expect(
            try blocks(html) == [
                .paragraph(text: "a"), .paragraph(text: "d"), .paragraph(text: "g"),
            ])
    }

    @Test("needs no page around it")
    func fragments() throws {
        #expect(try blocks("") == [])
        #expect(try blocks("   ") == [])
        #expect(try blocks("just text") == [.paragraph(text: "just text")])
        #expect(
            try blocks("<p>a<p>b</i></p></div>") == [.paragraph(text: "a"), .paragraph(text: "b")])
    }

    @Test("gives nothing that stands outside of it")
    func outside() throws {
        let html = """
            <!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]>
            <p>a &x; b</p><iframe src="file:///etc/hostname">no</iframe>
            """
        let text = try blocks(html)
        #expect(
            text.contains {
                if case .paragraph(let text) = $0 { text.contains("a") } else { false }
            })
        let host = "hostname"
        #expect(!text.contains { "\($0)".contains(host) && !"\($0)".contains("ENTITY") })
    }

    @Test("has a greatest depth and size")
    func bounds() throws {
        let within = String(repeating: "<div>", count: 200) + "x"
        #expect(try blocks(within) == [.paragraph(text: "x")])
        let beyond = String(repeating: "<div>", count: 5000) + "x"
        #expect(throws: HTMLError.tooDeep(limit: 256)) { try blocks(beyond) }
        let large = [UInt8](repeating: 0x20, count: 32 << 20 + 1)
        #expect(throws: HTMLError.tooLarge(limit: 32 << 20)) { try extract(large) }
    }

    @Test("survives being cut or damaged at any byte")
    func damage() {
        let whole = Array("<h2>a</h2><ul><li>b &amp; <b>c</b></ul><pre>d\n</pre><!-- e -->".utf8)
        for index in whole.indices {
            for byte: UInt8 in [0, 0x26, 0x3C, 0x3E, 0x80, 0xFF] {
                var damaged = whole
                damaged[index] = byte
                _ = try? extract(damaged)
            }
            _ = try? extract(Array(whole[..<index]))
        }
    }
}
