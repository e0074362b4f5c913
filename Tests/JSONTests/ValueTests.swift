import JSON
import Testing

@Suite("JSON that we make")
struct ValueTests {
    @Test("keeps the order of members, UTF-8 and the value of numbers")
    func literals() {
        let value: Value = [
            "z": 1, "a": [0.7, nil, true, -3], "text": "é😀\"\\/\n\u{1}", "nul": "a\0b",
            "empty": [:],
            "key\n": [], "max": .integer(.max), "none": "",
        ]
        let expected =
            #"{"z":1,"a":[0.7,null,true,-3],"text":"é😀\"\\/\n\u0001","nul":"a\u0000b","empty":{},"#
            + #""key\n":[],"max":9223372036854775807,"none":""}"#
        #expect(String(decoding: value.encoded(), as: UTF8.self) == expected)
    }

    @Test("is the same whether jansson encodes all of it or it is joined")
    func joined() {
        let plain: Value = ["a": ["b", ["c": 1]], "d": false, "": "x\ty"]
        let joined: Value = ["a": ["b", ["c": .verbatim([0x31])]], "d": false, "": "x\ty"]
        #expect(plain.encoded() == joined.encoded())
    }

    @Test(
        "spells a double shortly and so that it stays the same",
        arguments: [
            0.7, 0.1, 1e21, 1e-7, -0.0, 100, 0.69999999999999996, .leastNonzeroMagnitude,
            .greatestFiniteMagnitude,
        ] as [Double])
    func numbers(number: Double) throws {
        let text = Value.number(number).encoded()
        #expect(try Document(text).root.number == number)
        #expect(Value.number(.infinity).encoded() == Array("null".utf8))
        #expect(Value.number(.nan).encoded() == Array("null".utf8))
        #expect(Value.number(0.7).encoded() == Array("0.7".utf8))
    }

    @Test("can be of any length")
    func lengths() throws {
        for length in [0, 1, 250, 253, 254, 255, 256, 257, 1 << 20] {
            let text = String(repeating: "é", count: length)
            #expect(StringLiteral.encode(text) == [0x22] + Array(text.utf8) + [0x22])
        }
    }

    @Test("goes there and back for every scalar that text may hold")
    func scalars() throws {
        for first in stride(from: 0, to: 0x11_0000, by: 0x1000) {
            var text = ""
            for value in first..<first + 0x1000 where value & 7 == first >> 12 & 7 || value < 0x100
            {
                if let scalar = Unicode.Scalar(UInt32(value)) { text.unicodeScalars.append(scalar) }
            }
            let literal = StringLiteral.encode(text)
            #expect(StringLiteral.decode(literal).map { Array($0.utf8) } == Array(text.utf8))
            #expect(try Document(literal).root.string.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("is no string if it is anything else")
    func notStrings() {
        for text in ["", "\"", "a", "\"a", "\"a\"b", "\"\\x\"", " \"a\"", "1", "\"\n\""] {
            #expect(StringLiteral.decode(text.utf8) == nil)
        }
        #expect(StringLiteral.decode(content: #"a\"b"#.utf8) == "a\"b")
        #expect(StringLiteral.decode(content: "a\"b".utf8) == nil)
        #expect(StringLiteral.decode(content: "a\\".utf8) == nil)
    }
}
