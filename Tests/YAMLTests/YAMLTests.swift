import Testing
import YAML

@Suite("YAML document")
struct YAMLTests {
    @Test("becomes nodes that know line and column")
    func places() throws {
        let root = try parse(
            """
            socket: /run/a.sock   # comment
            models:
              - id: assistant
                candidates: [ { provider: vllm, model: "m" } ]
            """)
        #expect(root["socket"]?.text == "/run/a.sock")
        let candidates = try #require(root["models"]?.elements.first?["candidates"])
        #expect(candidates.line == 4 && candidates.column == 17)
        let provider = try #require(candidates.elements.first?["provider"])
        #expect(provider.text == "vllm" && provider.line == 4 && provider.column == 31)
        guard case .mapping(let members) = root.content else {
            Issue.record("not a mapping")
            return
        }
        #expect(
            members.map(\.key.line) == [1, 2] && members.map(\.key.text) == ["socket", "models"])
    }

    @Test(
        "has the booleans of YAML 1.2",
        arguments: [
            ("true", true), ("False", false), ("TRUE", true), ("yes", nil), ("on", nil), ("n", nil),
            ("'true'", nil), ("1", nil), ("tRUE", nil),
        ] as [(String, Bool?)])
    func booleans(text: String, boolean: Bool?) throws {
        #expect(try parse(text).boolean == boolean)
    }

    @Test("reads plain scalars as numbers and null, quoted ones as strings only")
    func scalars() throws {
        #expect(try parse("12").integer == 12 && parse("12").number == 12)
        #expect(try parse("'12'").integer == nil && parse("'12'").number == nil)
        #expect(try parse("1.5").number == 1.5 && parse("1.5").integer == nil)
        #expect(try parse(".inf").number == nil && parse("nan").number == nil)
        #expect(try parse("0x10").number == nil && parse("0x10").text == "0x10")
        #expect(try parse("~").isNull && parse("null").isNull && !parse("'~'").isNull)
        #expect(try parse("a:").content.isMapping && parse("a:")["a"]?.isNull == true)
        #expect(try parse("|\n  two\n  lines\n").text == "two\nlines\n")
        #expect(try parse("\"caf\\u00e9 \u{1F600}\"").text == "caf\u{e9} \u{1F600}")
        #expect(try parse("a: 1")["b"] == nil && parse("[1]")["a"] == nil)
    }

    @Test(
        "is refused with its place",
        arguments: [
            ("", 1, 1, "the document is empty"),
            ("# nothing\n", 2, 1, "the document is empty"),
            ("a: &x 1\nb: *x", 1, 4, "anchors are not allowed"),
            ("a: &x [1]", 1, 4, "anchors are not allowed"),
            ("b: *x", 1, 4, "aliases are not allowed"),
            ("a: !!str 1", 1, 4, "tags are not allowed"),
            ("a: !own {b: 1}", 1, 4, "tags are not allowed"),
            ("a: 1\n---\nb: 2", 2, 1, "a second document is not allowed"),
            ("a: 1\nb: 2\na: 3", 3, 1, "duplicate key"),
            ("a: {b: 1, \"b\": 2}", 1, 11, "duplicate key"),
            ("? [a]\n: 1", 1, 3, "a key must be a scalar"),
        ])
    func refused(text: String, line: Int, column: Int, reason: String) {
        #expect(throws: YAMLError(line: line, column: column, reason: reason)) { try parse(text) }
    }

    @Test(
        "tells where it is broken",
        arguments: [
            ("a: [1, 2", 1), ("a: b: c", 1), ("x: 1\n\ty: 2", 2), ("a: \"x", 1), ("a: @b", 1),
        ]
    )
    func broken(text: String, line: Int) {
        let error = #expect(throws: YAMLError.self) { try parse(text) }
        #expect(error.map { $0.line >= line && $0.column >= 1 && !$0.reason.isEmpty } == true)
    }

    @Test("has a greatest depth and size")
    func bounds() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(32)) }
        #expect(throws: YAMLError.self) { try parse(nested(33)) }
        #expect(throws: YAMLError.self) { try parse(nested(100_000)) }
        #expect(throws: YAMLError.self) { try parse("#" + String(repeating: "x", count: 1 << 20)) }
    }

    @Test("survives being cut or damaged at any byte")
    func damage() {
        let whole = Array("a: [1, {b: \"c\\n\", d: 'e'}]\nf: |\n  g\nh: ${env:X}\n".utf8)
        for index in whole.indices {
            for byte: UInt8 in [0, 9, 10, 33, 38, 42, 58, 91, 123, 255] {
                var damaged = whole
                damaged[index] = byte
                _ = try? parse(String(decoding: damaged, as: UTF8.self))
            }
            _ = try? parse(String(decoding: whole[..<index], as: UTF8.self))
        }
    }
}

extension YAML.Node {
    fileprivate var elements: [YAML.Node] {
        guard case .sequence(let elements) = content else { return [] }
        return elements
    }
}

extension YAML.Node.Content {
    fileprivate var isMapping: Bool {
        guard case .mapping = self else { return false }
        return true
    }
}
