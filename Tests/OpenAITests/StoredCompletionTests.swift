import JSON
import OpenAI
import Testing

@Suite struct StoredCompletionTests {
    private static func metadata(_ object: String) throws -> Metadata {
        try Metadata(Document(Array(object.utf8)).root)
    }

    @Test("other metadata changes nothing else, not even the spelling of a number")
    func change() throws {
        var reply = ChatCompletion(
            id: "chatcmpl-1", created: 5, model: "m",
            choices: [ChatCompletion.Choice(index: 0, message: [], finishReason: .stop)],
            usage: Usage(
                try Document(
                    Array(
                        #"{"prompt_tokens":1e0, "completion_tokens":2,"total_tokens":3,"cost":0.10}"#
                            .utf8)
                ).root))
        reply.metadata = try Self.metadata(#"{ "a" : "\u00e9" }"#).value
        let before = text(reply.body())
        #expect(before.contains(#""metadata":{ "a" : "\u00e9" }"#))
        #expect(before.contains(#"{"prompt_tokens":1e0, "completion_tokens":2"#))
        let changed = try #require(
            ChatCompletion.body(reply.body(), with: Self.metadata(#"{"b":"x"}"#)))
        #expect(
            text(changed) == before.replacing(#"{ "a" : "\u00e9" }"#, with: #"{"b":"x"}"#))
        let emptied = try #require(ChatCompletion.body(changed, with: Metadata.none))
        #expect(text(emptied) == before.replacing(#"{ "a" : "\u00e9" }"#, with: "{}"))
        #expect(ChatCompletion.body(Array("[]".utf8), with: Metadata.none) == nil)
        #expect(ChatCompletion.body([], with: Metadata.none) == nil)
    }

    @Test("a message is shown with the members that the schema requires, others as they were")
    func message() throws {
        let messages = #"""
            [{"role":"system","content":"Be \u0062rief."},
             {"role":"user","name":"ann","content":[{"type":"text","text":"What"},
               {"type":"image_url","image_url":{"url":"https://a.example/b", "detail":"low"}},
               {"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}},
               {"type":"text","text":"is it?"}]},
             {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]},
             {"role":"assistant","content":null,"function_call":null,"audio":{"id":"a"},
               "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1e0}"}}]},
             {"role":"tool","tool_call_id":"c","content":"17","id":"mine"},
             {"role":"assistant","content":[{"type":"refusal","refusal":"No."}]}]
            """#
        let list = try #require(StoredMessage.list(Array(messages.utf8), of: "chatcmpl-1"))
        #expect(list.map(\.id) == (0...5).map { "chatcmpl-1-\($0)" })
        let shown = list.map { text($0.value.encoded()) }
        let expected = [
            #""role":"system","content":"Be \u0062rief.","refusal":null,"content_parts":null}"#,
            #""role":"user","content":"What\nis it?","refusal":null,"name":"ann","content_parts":["#
                + #"{"type":"text","text":"What"},{"type":"image_url","image_url":"#
                + #"{"url":"https://a.example/b", "detail":"low"}},{"type":"text","text":"is it?"}]}"#,
            #""role":"user","content":null,"refusal":null,"content_parts":["#
                + #"{"type":"image_url","image_url":{"url":"data:,"}}]}"#,
            #""role":"assistant","content":null,"refusal":null,"tool_calls":["#
                + #"{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1e0}"}}],"#
                + #""content_parts":null}"#,
            #""role":"tool","content":"17","refusal":null,"tool_call_id":"c","content_parts":null}"#,
            #""role":"assistant","content":null,"refusal":"No.","content_parts":[]}"#,
        ]
        for (place, rest) in expected.enumerated() {
            #expect(shown[place] == "{\"id\":\"chatcmpl-1-\(place)\"," + rest)
        }
    }

    @Test("what is no list of messages is none")
    func noMessages() {
        for bytes in ["", "{}", "[", "1"] {
            #expect(StoredMessage.list(Array(bytes.utf8), of: "x") == nil)
        }
        #expect(StoredMessage.list(Array("[]".utf8), of: "x")?.isEmpty == true)
    }
}
