import JSON
import Testing

@Suite("JSON document")
struct DocumentTests {
    @Test("accepts what RFC 8259 allows and keeps its bytes", arguments: Fixtures.accepted)
    func accepts(text: String) throws {
        let document = try Document(Array(text.utf8))
        #expect(document.bytes == Array(text.utf8))
        #expect(document.root.bytes.elementsEqual(text.utf8.trimmed))
    }

    @Test("refuses all else, and tells why and where", arguments: Fixtures.refused.indices)
    func refuses(index: Int) {
        let fixture = Fixtures.refused[index]
        let error = #expect(throws: ParseError.self) { try Document(fixture.text) }
        #expect(error?.cause == fixture.cause, "\(fixture.text.prefix(40))")
        #expect(error?.offset == fixture.offset, "\(fixture.text.prefix(40))")
        #expect(error?.reason.isEmpty == false)
    }

    @Test(
        "decodes a surrogate without its other half to U+FFFD", arguments: Fixtures.loneSurrogates)
    func loneSurrogates(text: String, decoded: String) throws {
        #expect(try Document(Array(text.utf8)).root.string == decoded)
        #expect(StringLiteral.decode(text.utf8) == decoded)
    }

    @Test("is refused when cut at any byte")
    func cut() throws {
        let whole = Array(#"{"a":[1.5e3,-0,true,{"\u00e9é😀":null}],"b":"x\ny"}"#.utf8)
        _ = try Document(whole)
        for count in whole.indices {
            #expect(throws: ParseError.self) { try Document(Array(whole[..<count])) }
        }
    }

    @Test("has limits for depth and for the number of values")
    func limits() throws {
        let text = Array(#"{"a":[1,2,{"b":3}]}"#.utf8)
        _ = try Document(text, limits: Limits(depth: 3, values: 6))
        let deep = #expect(throws: ParseError.self) { try Document(text, limits: Limits(depth: 2)) }
        #expect(deep?.cause == .tooDeep && deep?.description == "nested deeper than 2 at byte 10")
        let many = #expect(throws: ParseError.self) {
            try Document(text, limits: Limits(values: 5))
        }
        #expect(many?.cause == .tooManyValues && many?.offset == 15)
    }

    @Test("accepts equal keys if asked, and the last one counts")
    func equalKeys() throws {
        let text = Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8)
        let root = try Document(text, limits: Limits(refusesDuplicateKeys: false)).root
        #expect(root["a"]?.integer == 3 && root.count == 3)
        #expect(root.editing([.set("a", [0x39])]) == Array(#"{"a":9,"b":2}"#.utf8))
        #expect(root.editing([.remove("a")]) == Array(#"{"b":2}"#.utf8))
    }

    @Test("finds equal keys among very many in a time that is not quadratic")
    func manyKeys() throws {
        var text = "{"
        for number in 0..<40_000 { text += "\"key\(number)\":\(number)," }
        _ = try Document(Array((text + "\"last\":0}").utf8))
        let error = #expect(throws: ParseError.self) {
            try Document(Array((text + #""\u006bey777":0}"#).utf8))
        }
        #expect(error?.cause == .duplicateKey && error?.offset == text.utf8.count)
    }

    @Test("takes a number of ten megabytes by its grammar")
    func longNumber() throws {
        let root = try Document([UInt8](repeating: 0x37, count: 10 << 20)).root
        #expect(root.kind == .number && root.number == nil && root.integer == nil)
    }
}

extension String.UTF8View {
    /// The text without the blanks around it.
    fileprivate var trimmed: Substring.UTF8View {
        let blanks = Array(" \t\r\n".utf8)
        let start = drop(while: blanks.contains)
        let behind = start.lastIndex { !blanks.contains($0) }.map(start.index(after:))
        return start[..<(behind ?? start.startIndex)]
    }
}
