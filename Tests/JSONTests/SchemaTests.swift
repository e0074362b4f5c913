import JSON
import Testing

@Suite("A value held against a schema") struct SchemaTests {
    private static func node(_ text: String) throws -> Node { try Document(Array(text.utf8)).root }

    private static func verdict(_ schema: String, _ value: String) throws -> Schema.Verdict {
        Schema(try node(schema)).verdict(on: try node(value))
    }

    @Test(
        "fits",
        arguments: [
            ("true", "1"), ("{}", "null"), (#"{"type":"string"}"#, #""x""#),
            (#"{"type":["string","null"]}"#, "null"), (#"{"type":"integer"}"#, "1.0"),
            (#"{"type":"integer"}"#, "1e2"), (#"{"type":"integer"}"#, "10e-1"),
            (#"{"type":"number"}"#, "-0.5"), (#"{"type":"unheard"}"#, "1"), (#"{"type":7}"#, "1"),
            (#"{"enum":[1,"a",null]}"#, "1.0"),
            (#"{"enum":[{"a":1,"b":[2]}]}"#, #"{"b":[2.0],"a":1e0}"#),
            (#"{"const":"\u0061"}"#, #""a""#), (#"{"const":0}"#, "-0.0"),
            (#"{"properties":{"a":{"type":"string"}}}"#, #"{"b":1}"#),
            (#"{"properties":{"a":{"type":"string"}},"required":["a"]}"#, #"{"\u0061":""}"#),
            (#"{"required":["a"],"properties":{"a":false}}"#, "1"),
            (#"{"additionalProperties":false,"properties":{"a":true}}"#, #"{"a":1}"#),
            (#"{"additionalProperties":{"type":"integer"}}"#, #"{"a":1,"b":2}"#),
            (#"{"additionalProperties":false,"patternProperties":{"^x":true}}"#, #"{"xy":1}"#),
            (#"{"items":{"type":"integer"}}"#, "[1,2]"), (#"{"items":{"type":"integer"}}"#, "7"),
            (#"{"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}"#, #"["a",1,2]"#),
            (#"{"prefixItems":[true,true],"items":false}"#, "[1]"),
            (#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "null"),
            (#"{"oneOf":[{"type":"integer"},{"minimum":2}]}"#, "1"),
            (#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "2"), (#"{"not":{"type":"null"}}"#, "0"),
            (#"{"if":{"type":"string"},"then":{"minLength":1},"else":{"minimum":1}}"#, "1"),
            (##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##, "1"),
            (
                ##"{"$ref":"#/definitions/a~1b~0c","definitions":{"a/b~c":{"type":"integer"}}}"##,
                "1"
            ),
            (
                ##"{"properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}}}"##,
                #"{"next":{"next":null}}"#
            ),
            (#"{"minimum":1,"maximum":1}"#, "1"), (#"{"exclusiveMinimum":0}"#, "1e-9"),
            (#"{"exclusiveMaximum":0}"#, "-0.1"), (#"{"multipleOf":0.01}"#, "19.99"),
            (#"{"multipleOf":3}"#, "123456789012345678901234567890"), (#"{"multipleOf":0}"#, "1"),
            (#"{"minLength":1,"maxLength":1}"#, #""\ud83d\ude00""#),
            (#"{"maxLength":2}"#, #""e\u0301""#),
            (#"{"minItems":1,"maxItems":2,"uniqueItems":true}"#, "[1,2]"),
            (#"{"uniqueItems":true}"#, #"[{"a":1,"b":2},{"a":1,"b":3},[1],["1"],"1",1,true,null]"#),
            (#"{"minProperties":1,"maxProperties":1}"#, #"{"a":1}"#),
            (#"{"format":"email","pattern":"^a","contains":{},"x-y":1}"#, #""zzz""#),
            (
                #"{"minLength":"1","required":"a","properties":[],"items":[],"enum":1,"anyOf":{}}"#,
                "{}"
            ),
        ])
    func fits(schema: String, value: String) throws {
        #expect(try Self.verdict(schema, value) == .valid)
    }

    @Test(
        "does not, and the place and the reason are told",
        arguments: [
            ("false", "1", "$ is not allowed"), (#"{"type":"string"}"#, "1", "$ must be a string"),
            (#"{"type":["string","null"]}"#, "true", "$ must be a string or null"),
            (#"{"type":"integer"}"#, "1.5", "$ must be an integer"),
            (#"{"type":"number"}"#, #""1""#, "$ must be a number"),
            (#"{"type":"boolean"}"#, "0", "$ must be true or false"),
            (#"{"enum":[1,"a"]}"#, #""1""#, #"$ must be 1 or "a""#),
            (
                #"{"enum":[12345678901234567890]}"#, "12345678901234567891",
                "$ must be 12345678901234567890"
            ),
            (
                #"{"enum":[0,1,2,3,4,5,6,7,8,9,10,11,12]}"#, "13",
                "$ must be one of the values in enum"
            ),
            (#"{"const":{"a":[1]}}"#, #"{"a":[2]}"#, #"$ must be {"a":[1]}"#),
            (
                #"{"properties":{"steps":{"items":{"properties":{"result":{"type":"string"}}}}}}"#,
                #"{"steps":[{},{"result":"a"},{"result":7}]}"#, "$.steps[2].result must be a string"
            ),
            (
                #"{"items":{"required":["a","b"]}}"#, #"[{"a":1,"b":2},{"a":1}]"#,
                "$[1].b is missing"
            ),
            (
                #"{"additionalProperties":false,"properties":{"a":true}}"#, #"{"a":1,"b c":2}"#,
                #"$["b c"] is not allowed"#
            ),
            (
                #"{"additionalProperties":{"type":"integer"}}"#, #"{"a":"x"}"#,
                "$.a must be an integer"
            ),
            (#"{"prefixItems":[{"type":"string"}]}"#, "[1]", "$[0] must be a string"),
            (#"{"prefixItems":[true],"items":false}"#, "[1,2]", "$[1] is not allowed"),
            (
                #"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1",
                "$ must be a string, or must be null"
            ),
            (
                #"{"anyOf":[{"type":"null"},{"properties":{"a":{"type":"string"}}}]}"#, #"{"a":1}"#,
                "$.a must be a string"
            ),
            (
                #"{"oneOf":[{"type":"integer"},{"minimum":2}]}"#, "3",
                "$ must fit only one of the schemas in oneOf"
            ),
            (
                #"{"oneOf":[{"type":"null"},{"type":"array"}]}"#, "3",
                "$ must be null, or must be an array"
            ),
            (#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "4", "$ must be at most 3"),
            (#"{"not":{"type":"null"}}"#, "null", "$ must not be what it is"),
            (
                #"{"if":{"type":"string"},"then":{"minLength":1}}"#, #""""#,
                "$ must have at least 1 characters"
            ),
            (#"{"if":{"type":"string"},"else":{"minimum":1}}"#, "0", "$ must be at least 1"),
            (
                ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##, "true",
                "$ must be an integer"
            ),
            (
                ##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
                #"{"next":{"next":{"x":1}}}"#, "$.next.next.x is not allowed"
            ),
            (##"{"$ref":"#/$defs/a","maximum":1,"$defs":{"a":true}}"##, "2", "$ must be at most 1"),
            (#"{"minimum":1.10}"#, "1.09", "$ must be at least 1.10"),
            (#"{"maximum":-1}"#, "0", "$ must be at most -1"),
            (#"{"exclusiveMinimum":1}"#, "1.0", "$ must be more than 1"),
            (#"{"exclusiveMaximum":1e2}"#, "100", "$ must be less than 1e2"),
            (#"{"minimum":10}"#, "9", "$ must be at least 10"),
            (#"{"minimum":-9}"#, "-10", "$ must be at least -9"),
            (#"{"multipleOf":0.01}"#, "19.999", "$ must be a multiple of 0.01"),
            (#"{"multipleOf":7}"#, "1e100", "$ must be a multiple of 7"),
            (#"{"minLength":3}"#, #""é\n""#, "$ must have at least 3 characters"),
            (#"{"maxLength":1}"#, #""e\u0301""#, "$ must have at most 1 characters"),
            (#"{"minItems":1}"#, "[]", "$ must have at least 1 elements"),
            (#"{"maxItems":1}"#, "[1,2]", "$ must have at most 1 elements"),
            (
                #"{"uniqueItems":true}"#, #"[{"a":1,"b":2},3,{"b":2.0,"a":1}]"#,
                "$[2] must not repeat an element before it"
            ),
            (#"{"minProperties":1}"#, "{}", "$ must have at least 1 members"),
            (#"{"maxProperties":0}"#, #"{"a":1}"#, "$ must have at most 0 members"),
        ])
    func fails(schema: String, value: String, reason: String) throws {
        #expect(try Self.verdict(schema, value) == .invalid(reason))
    }

    @Test("keys of other scalars are other keys, also where Unicode takes them for the same")
    func canonicalEquivalence() throws {
        let schema = #"{"required":["\u00e9"],"properties":{"\u00e9":{"type":"null"}}}"#
        #expect(try Self.verdict(schema, #"{"e\u0301":1}"#) == .invalid(#"$["é"] is missing"#))
    }

    @Test("as generators of schemas write it")
    func generated() throws {
        let schema = ##"""
            {"$defs":{"Step":{"properties":{"explanation":{"title":"Explanation","type":"string"},
            "output":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Output"},
            "kind":{"enum":["sum","product"],"title":"Kind","type":"string"}},
            "required":["explanation","output","kind"],"title":"Step","type":"object","additionalProperties":false}},
            "properties":{"steps":{"items":{"$ref":"#/$defs/Step"},"title":"Steps","type":"array"},
            "final":{"title":"Final","type":"number"}},"required":["steps","final"],"title":"Maths","type":"object",
            "additionalProperties":false}
            """##
        let step = #"{"explanation":"a","output":null,"kind":"sum"}"#
        #expect(try Self.verdict(schema, #"{"steps":[\#(step)],"final":4}"#) == .valid)
        let wrong = step.replacing("sum", with: "mean")
        #expect(
            try Self.verdict(schema, #"{"steps":[\#(step),\#(wrong)],"final":4}"#)
                == .invalid(#"$.steps[1].kind must be "sum" or "product""#))
    }

    @Test(
        "nobody can say where the schema refers to what it does not hold, to itself for ever, or to absurd numbers",
        arguments: [
            (##"{"$ref":"#/$defs/a"}"##, "1"), (#"{"$ref":"https://example.org/a"}"#, "1"),
            (##"{"$ref":"#name"}"##, "1"), (#"{"$ref":1}"#, "1"), (##"{"$ref":"#"}"##, "1"),
            (##"{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"allOf":[{"$ref":"#"}]}}}"##, "1"),
            (#"{"minimum":1}"#, "1e99999999999999999999"),
            (#"{"minimum":1}"#, "1e-9223372036854775808"),
            (#"{"multipleOf":1234567890123456789012}"#, "1"),
            // A fit that is a fault, by keywords that are not judged.
            (#"{"oneOf":[{"format":"date"},{"format":"date-time"}]}"#, #""2026-01-01""#),
            (#"{"oneOf":[{"type":"string"},{"pattern":"^x"}]}"#, #""abc""#),
            (#"{"not":{"pattern":"^x"}}"#, #""abc""#), (#"{"not":{"type":"text"}}"#, #""abc""#),
            (
                #"{"if":{"properties":{"k":{"pattern":"^a"}}},"then":{"required":["z"]}}"#,
                #"{"k":"b"}"#
            ),
        ])
    func unchecked(schema: String, value: String) throws {
        guard case .unchecked = try Self.verdict(schema, value) else {
            Issue.record("\(try Self.verdict(schema, value))")
            return
        }
    }

    /// Branches that branch, elements times alternatives, long texts again and again.
    private static let endless: [String: (schema: String, value: String)] = [
        "branches": (
            ##"{"anyOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}],"not":{"type":"array"}}"##,
            String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        ),
        "alternatives": (
            #"{"items":{"not":{"enum":[\#(list(2000) { "\($0)" })]}}}"#,
            "[\(list(2000) { _ in "-1" })]"
        ),
        "texts": (
            #"{"allOf":[\#(list(5000) { _ in #"{"minLength":1}"# })]}"#,
            "\"\(String(repeating: "é", count: 100_000))\""
        ),
        "positions": (
            #"{"items":{"prefixItems":[\#(list(5000) { _ in "true" })],"items":true}}"#,
            "[\(list(5000) { _ in "[]" })]"
        ),
        "requirements": (
            #"{"items":{"required":[\#(list(20_000) { _ in "0" })]}}"#,
            "[\(list(100) { _ in "{}" })]"
        ),
        "types": (
            #"{"anyOf":[\#(list(1000) { _ in #"{"type":["integer","integer","integer"]}"# })]}"#,
            String(repeating: "9", count: 4000) + ".5"
        ),
        "remainders": (
            #"{"items":{"not":{"multipleOf":0.7}}}"#, "[\(list(20_000) { _ in "1e999" })]"
        ),
    ]

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        (0..<count).map(element).joined(separator: ",")
    }

    @Test("nobody waits for long, whatever both are made of", arguments: endless.keys.sorted())
    func bounded(name: String) throws {
        let (schema, value) = try #require(Self.endless[name])
        #expect(try Self.verdict(schema, value) == .unchecked("the check takes too long"))
    }

    @Test("what is not judged changes nothing where a fit is no fault")
    func passedOver() throws {
        let cases = [
            (#"{"oneOf":[{"format":"date","type":"string"},{"type":"null"}]}"#, #""x""#),
            (#"{"not":{"type":"number","title":"no number"}}"#, #""x""#),
            (#"{"if":{"pattern":"^a"},"then":{"minLength":1}}"#, #""b""#),
        ]
        for (schema, value) in cases { #expect(try Self.verdict(schema, value) == .valid) }
        let described = #"{"not":{"type":"string","description":"no text","default":1}}"#
        #expect(try Self.verdict(described, #""x""#) == .invalid("$ must not be what it is"))
    }

    @Test("a large answer of the usual kind is within bounds")
    func large() throws {
        let schema =
            #"{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":"#
            + #"{"id":{"type":"integer"},"name":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}},"#
            + #""required":["id","name","tags"],"additionalProperties":false}}},"required":["rows"]}"#
        let rows = (0..<2000).map {
            #"{"id":\#($0),"name":"the name of row \#($0)","tags":["a","b"]}"#
        }
        #expect(try Self.verdict(schema, #"{"rows":[\#(rows.joined(separator: ","))]}"#) == .valid)
    }

    @Test("a path and a reason are of bounded length")
    func boundedReason() throws {
        let key = String(repeating: "k", count: 10_000)
        let value =
            String(repeating: "{\"\(key)\":", count: 30) + "1" + String(repeating: "}", count: 30)
        let schema = ##"{"type":"object","additionalProperties":{"$ref":"#"}}"##
        guard case .invalid(let reason) = try Self.verdict(schema, value) else {
            Issue.record("it fits")
            return
        }
        #expect(reason.count < 600)
        #expect(reason.hasSuffix("… must be an object"))
    }
}
