import JSON
import Testing

private func root(_ text: String) throws -> Node { try Document(Array(text.utf8)).root }
private func text(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}

@Suite("JSON node")
struct NodeTests {
    @Test("answers by its kind and is nil or empty for others")
    func kinds() throws {
        let node = try root(#"{"s":"x","n":1.5,"b":false,"z":null,"a":[1,2],"o":{"k":0}}"#)
        #expect(node.kind == .object && node.count == 6)
        #expect(node["s"]?.string == "x" && node["s"]?.integer == nil && node["s"]?["x"] == nil)
        #expect(node["n"]?.number == 1.5 && node["n"]?.string == nil)
        #expect(node["b"]?.boolean == false && node["n"]?.boolean == nil)
        #expect(node["z"]?.isNull == true && node["z"]?.kind == .null)
        #expect(node["a"]?[1]?.integer == 2 && node["a"]?[2] == nil && node["a"]?[-1] == nil)
        #expect(node["a"]?["0"] == nil && node["o"]?[0] == nil && node["missing"] == nil)
        #expect(node["a"]?.elements.compactMap(\.integer) == [1, 2])
        #expect(node["a"].map { Array($0.members).isEmpty } == true)
        #expect(node.members.map(\.key) == ["s", "n", "b", "z", "a", "o"])
        #expect(node["n"].map { text($0.bytes) } == "1.5" && node["n"]?.range == 13..<16)
    }

    @Test("finds keys by their text, byte for byte")
    func keys() throws {
        let node = try root("{\"\\u0061\\n\":1,\"\u{e9}\":2,\"e\u{301}\":3,\"\":4}")
        #expect(node["a\n"]?.integer == 1 && node[""]?.integer == 4)
        #expect(node["\u{e9}"]?.integer == 2 && node["e\u{301}"]?.integer == 3)
    }

    @Test(
        "is an integer if the value is whole and fits",
        arguments: [
            ("0", 0), ("-0", 0), ("7.0", 7), ("1e3", 1000), ("-12.50e1", -125),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("0.5", nil), ("1e400", nil), ("1e-1", nil),
            ("1e18", nil),
        ] as [(String, Int?)])
    func integers(spelling: String, integer: Int?) throws {
        #expect(try root(spelling).integer == integer)
    }

    @Test("is whole also where no integer can hold it")
    func whole() throws {
        for spelling in ["0", "-7.0", "1e3", "99999999999999999999", "-1e30"] {
            #expect(try root(spelling).isWhole, "\(spelling)")
        }
        for spelling in ["0.5", "1e-1", "\"1\"", "null", "[1]", "true"] {
            #expect(try !root(spelling).isWhole, "\(spelling)")
        }
    }

    @Test("is a double if one is near")
    func doubles() throws {
        #expect(try root("0.7").number == 0.7 && root("1e-400").number == 0)
        #expect(try root("-0").number?.sign == .minus)
        #expect(try root("1e400").number == nil && root("-1e999999").number == nil)
    }
}

@Suite("Edits of JSON")
struct EditingTests {
    @Test(
        "leave everything else as it was spelled",
        arguments: [
            (#"{ "a" : 1.0 , "b":2 }"#, [.set("b", [0x33])], #"{ "a" : 1.0 , "b":3 }"#),
            (#"{ "a" : 1 , "b":2 }"#, [.remove("a")], #"{ "b":2 }"#),
            (#"{ "a" : 1 , "b":2 }"#, [.remove("b")], #"{ "a" : 1 }"#),
            (#"{"a":1, "b":2,  "c":3}"#, [.remove("b")], #"{"a":1,  "c":3}"#),
            (#"{"a":1}"#, [.remove("a")], "{}"),
            (#"{"a":1}"#, [.remove("a"), .set("n", [0x30])], #"{"n":0}"#),
            ("{ }", [.set("n", [0x30])], #"{ "n":0}"#),
            (#"{"a":1}"#, [.set("n", [0x30]), .set("n", [0x31])], #"{"a":1,"n":1}"#),
            (#"{"a":1}"#, [.set("n", [0x30]), .remove("n")], #"{"a":1}"#),
            (#"{"a" :1}"#, [.rename("a", to: "b\"")], #"{"b\"" :1}"#),
            (#"{"a":1,"b":2}"#, [.rename("a", to: "b")], #"{"b":1}"#),
            (#"{"b":2,"a":1}"#, [.rename("a", to: "b")], #"{"b":1}"#),
            (#"{"b":2}"#, [.rename("a", to: "b")], #"{"b":2}"#),
            (#"{"a":1}"#, [.rename("a", to: "a")], #"{"a":1}"#),
            (#"{"\u0061":1}"#, [.set("a", [0x32])], #"{"\u0061":2}"#),
            (#"{"x":{"a":1},"y":[{}]}"#, [.set("a", [0x32])], #"{"x":{"a":1},"y":[{}],"a":2}"#),
            (#"{"a":1}"#, [], #"{"a":1}"#), ("[1]", [.set("a", [0x32])], "[1]"),
        ] as [(String, [Edit], String)])
    func objects(before: String, edits: [Edit], after: String) throws {
        let edited = try root(before).editing(edits)
        #expect(text(edited) == after)
        _ = try Document(edited)
    }

    @Test(
        "put an element into an array",
        arguments: [
            ("[]", 0, "[9]"), ("[ ]", 5, "[9 ]"), ("[1, 2]", 0, "[9,1, 2]"),
            ("[1, 2]", 1, "[1, 9,2]"), ("[1, 2 ]", 2, "[1, 2,9 ]"), ("[1]", -1, "[9,1]"),
            ("{}", 0, "{}"),
        ])
    func arrays(before: String, position: Int, after: String) throws {
        #expect(try text(root(before).inserting([0x39], at: position)) == after)
    }

    @Test("of a member deep inside are set member by member")
    func nested() throws {
        let whole = try root(#"{"m": "x", "options":{"t": 0.70} }"#)
        let options = try #require(whole["options"]).editing([.set("u", Array("true".utf8))])
        let edited = whole.editing([.set("options", options), .set("m", StringLiteral.encode("é"))])
        #expect(text(edited) == #"{"m": "é", "options":{"t": 0.70,"u":true} }"#)
    }
}
