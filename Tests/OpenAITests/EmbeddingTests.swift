import JSON
import OpenAI
import Testing

@Suite struct EmbeddingTests {
    private func request(_ json: String) throws -> EmbeddingRequest {
        try EmbeddingRequest(Array(json.utf8))
    }

    @Test(
        "texts and tokens are counted, one or many",
        arguments: [
            (#""ü\n""#, 1, true, 4), (#"["a","bc"]"#, 2, true, 3), ("[1, 2.0, 3]", 1, false, 12),
            ("[[1],[2,3]]", 2, false, 12), (#"["a"]"#, 1, true, 1),
        ])
    func input(_ input: String, _ count: Int, _ isText: Bool, _ characters: Int) throws {
        let read = try request(#"{"model":"m","input":\#(input)}"#)
        #expect(read.input.count == count)
        #expect(read.input.isText == isText)
        #expect(read.input.characterCount == characters)
        #expect(text(read.input.node.bytes) == input)
        #expect(read.encoding == .float && read.dimensions == nil)
    }

    @Test("parameters are read, null counts as absent, and the bytes stay as they are")
    func parameters() throws {
        let body = #"{"model":"m","input":"x","encoding_format":"base64","dimensions":7,"a":0.70}"#
        let read = try request(body)
        #expect(read.model == "m" && read.encoding == .base64 && read.dimensions == 7)
        #expect(text(read.document.bytes) == body)
        let nulls = try request(
            #"{"model":"m","input":"x","encoding_format":null,"dimensions":null,"user":null}"#)
        #expect(nulls.encoding == .float && nulls.dimensions == nil)
        let most = Array(repeating: #""x""#, count: 2048).joined(separator: ",")
        #expect(try request(#"{"model":"m","input":[\#(most)]}"#).input.count == 2048)
    }

    @Test("each refusal names its path and code")
    func refused() throws {
        let lines = try fixture("embedding-refusals.jsonl").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 25)
        for line in lines { try expectRefusal(line) { _ = try EmbeddingRequest($0) } }
        let many = Array(repeating: "7", count: 2049).joined(separator: ",")
        let error = #expect(throws: APIError.self) {
            try request(#"{"model":"m","input":[\#(many)]}"#)
        }
        #expect(error?.code == "invalid_value" && error?.param == "input")
    }

    @Test("a reply has every member that the schema requires, and numbers as they were spelled")
    func reply() throws {
        let vectors = ["[ 1.0,-2.50e-3]", #""AACAPw==""#].map { Array($0.utf8)[...] }
        let told = try Document(Array(#"{"prompt_tokens":3,"total_tokens":5}"#.utf8))
        let usage = try #require(Usage(told.root))
        #expect(
            text(EmbeddingList(vectors, model: "a\"b", usage: usage).body())
                == #"""
                {"object":"list","data":[{"object":"embedding","index":0,"embedding":[ 1.0,-2.50e-3]},\#
                {"object":"embedding","index":1,"embedding":"AACAPw=="}],"model":"a\"b",\#
                "usage":{"prompt_tokens":3,"total_tokens":5}}
                """#)
    }

    @Test(
        "base64 is written and measured as RFC 4648 has it",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{FB}\u{3FF}?", "w7vPvz8="),
        ])
    func base64(_ plain: String, _ encoded: String) {
        #expect(text(Base64.encode(Array(plain.utf8))) == encoded)
        #expect(Base64.byteCount(Array(encoded.utf8)[...]) == plain.utf8.count)
    }

    @Test(
        "what is no padded base64 has no length",
        arguments: [
            "Z", "Zg=", "Z===", "====", "Zg=a", "Z-8=", "Zm 9", "Zm9\\", "Zm8=Zm8=", "Zgü=",
        ]
    )
    func noBase64(_ encoded: String) {
        #expect(Base64.byteCount(Array(encoded.utf8)[...]) == nil)
    }
}
