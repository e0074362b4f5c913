import JSON
import Testing

@Suite("Smoke")
struct SmokeTests {
    @Test func works() throws {
        let d = try Document(Array(#"{ "a" : [1, 2.50, "x\u00e9\ud83d\ude00"] , "b":{"c":null}, "d":true }"#.utf8))
        #expect(d.root.kind == .object)
        #expect(d.root["a"]?[2]?.string == "xé😀")
        #expect(d.root["a"]?[0]?.integer == 1)
        #expect(d.root["a"]?[1]?.number == 2.5)
        #expect(d.root["a"]?.count == 3 && d.root.count == 3)
        #expect(d.root.members.map(\.key) == ["a", "b", "d"])
        let e = d.root.editing([.set("b", [49]), .remove("a"), .set("z", [50]), .rename("d", to: "q")])
        #expect(String(decoding: e, as: UTF8.self) == #"{ "b":1, "q":true,"z":2 }"#)
        #expect(String(decoding: d.root["a"]!.inserting([51], at: 1), as: UTF8.self).hasPrefix("[1, 3,2.50"))
        let v: Value = ["a": 1, "b": [0.7, nil, "é\"\n"], "c": .verbatim([49])]
        #expect(String(decoding: v.encoded(), as: UTF8.self) == #"{"a":1,"b":[0.7,null,"é\"\n"],"c":1}"#)
        let w: Value = ["a": 1, "b": ["", true]]
        #expect(String(decoding: w.encoded(), as: UTF8.self) == #"{"a":1,"b":["",true]}"#)
        let long = String(repeating: "xy", count: 1000)
        #expect(String(decoding: StringLiteral.encode(long), as: UTF8.self) == "\"\(long)\"")
        let c = Array(#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"h\ni"},"finish_reason":null}],"usage":null}"#.utf8)
        let found = OrdinaryChunk(c.span); let o = try #require(found)
        #expect(StringLiteral.decode(content: c[o.content]) == "h\ni")
        #expect(c[o.systemFingerprint!].elementsEqual("fp".utf8))
    }
}
