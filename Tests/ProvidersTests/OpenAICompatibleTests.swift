import HTTP
import JSON
import OpenAI
import Providers
import Testing

@Suite struct OpenAICompatibleTests {
    private let plain =
        #"""
        { "model" : "assistant", "temperature":0.70, "top_k": 1e1,\#
         "messages":[{"role":"user","content":"\u00fc"}] }
        """#

    private func body(
        _ json: String, streaming: Bool = false, system: String? = nil
    ) throws -> String {
        let call = ChatCall(
            try request(json), model: "llama", isStream: streaming, systemText: system)
        return text(try openAI.chat(call).body)
    }

    @Test("the caller's bytes go on, with model and stream changed")
    func splices() throws {
        #expect(
            try body(plain)
                == #"""
                { "model" : "llama", "temperature":0.70, "top_k": 1e1,\#
                 "messages":[{"role":"user","content":"\u00fc"}],"stream":false }
                """#
        )
    }

    @Test("the request says who asks and what for")
    func head() throws {
        let call = ChatCall(try request(plain), model: "m", isStream: true)
        let sent = try openAI.chat(call)
        #expect(sent.method == .post)
        #expect(sent.path == "/chat/completions")
        #expect(sent.fields["authorization"] == "Bearer sk-secret")
        #expect(sent.fields["content-type"] == "application/json")
        #expect(sent.fields["accept"] == "text/event-stream")
        let keyless = OpenAICompatible(settings: ProviderSettings())
        #expect(try keyless.chat(call).fields["authorization"] == nil)
    }

    @Test("a stream always asks for usage and keeps the caller's other options")
    func usage() throws {
        let asked = try Document(Array(try body(plain, streaming: true).utf8)).root
        #expect(asked["stream"]?.boolean == true)
        #expect(asked["stream_options"].map { text($0.bytes) } == #"{"include_usage":true}"#)
        let merged = try body(
            #"""
            {"model":"a","messages":[{"role":"user","content":""}],"stream":true,\#
            "stream_options":{"include_usage":false,"x":1}}
            """#,
            streaming: true)
        #expect(merged.contains(#""stream_options":{"include_usage":true,"x":1}"#))
        let unary = try body(
            #"""
            {"model":"a","messages":[{"role":"user","content":""}],"stream":true,\#
            "stream_options":{"include_usage":true}}
            """#
        )
        #expect(!unary.contains("stream_options"))
    }

    @Test("what we store the provider does not")
    func store() throws {
        let stored = try body(
            #"""
            {"model":"a","store":true,"metadata":{"k":"v"},"messages":[{"role":"user",\#
            "content":""}]}
            """#
        )
        #expect(!stored.contains("store") && !stored.contains("metadata"))
        let other = try body(
            #"{"model":"a","metadata":{"k":"v"},"messages":[{"role":"user","content":""}]}"#)
        #expect(other.contains(#""metadata":{"k":"v"}"#))
    }

    @Test(
        "our text comes first: as a message, or in front of the caller's instruction",
        arguments: [
            (
                #"[{"role":"user","content":"q"}]"#,
                #"[{"role":"system","content":"a \"b\""},{"role":"user","content":"q"}]"#
            ),
            (
                #"""
                [{"role":"system", "content":"\u00fc", "name":"n"},{"role":"user",\#
                "content":"q"}]
                """#,
                #"""
                [{"role":"system", "content":"a \"b\"\n\n\u00fc", "name":"n"},\#
                {"role":"user","content":"q"}]
                """#
            ),
            (
                #"[ {"role":"developer","content":[{"type":"text","text":"x"}]} ]"#,
                #"""
                [ {"role":"developer","content":[{"type":"text","text":"a \"b\""},\#
                {"type":"text","text":"x"}]} ]
                """#
            ),
        ])
    func system(_ messages: String, _ expected: String) throws {
        let sent = try body(#"{"model":"m","messages":\#(messages)}"#, system: "a \"b\"")
        let node = try Document(Array(sent.utf8)).root["messages"]
        #expect(node.map { text($0.bytes) } == expected)
    }

    @Test("a whole answer is rebuilt from allowed members")
    func completion() throws {
        let answer = #"""
            {"id":"x","object":"chat.completion","model":"llama","system_fingerprint":"fp",\#
            "event":{"type":"x"},
            "choices":[{"index":0,"stop_reason":1,"finish_reason":"eos_token",\#
            "logprobs":{"content":[{"token":"a","logprob":-0.10}],"refusal":null},
             "message":{"role":"assistant","content":"\u00fc","reasoning_content":"r",\#
             "refusal":null,
              "annotations":[{"type":"url_citation","url_citation":{"url":"javascript:x"}}],
              "tool_calls":[{"id":"","type":"function","function":{"name":"f",\#
              "arguments":""}},{"id":"c","function":{"name":"g","arguments":{"a":1}}}]}}],
            "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}
            """#
        let read = try openAI.completion(Array(answer.utf8), to: try question())
        let reply = ChatCompletion(
            id: "i", created: 1, model: "m", choices: read.choices, usage: read.usage)
        #expect(
            text(reply.body())
                == #"""
                {"id":"i","object":"chat.completion","created":1,"model":"m",\#
                "choices":[{"index":0,"message":{"role":"assistant","content":"\u00fc",\#
                "refusal":null,"reasoning_content":"r","tool_calls":[{"id":"call_XYZ_0",\#
                "type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c",\#
                "type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},\#
                "logprobs":{"content":[{"token":"a","logprob":-0.10,"bytes":null,\#
                "top_logprobs":[]}],"refusal":null},\#
                "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,\#
                "completion_tokens":2,"total_tokens":3}}
                """#
        )
        #expect(read.origin.systemFingerprint.map(text) == #""fp""#)
    }

    @Test(
        "what is no answer is a bad response",
        arguments: [
            "", "<html>", "[]", "{}", #"{"choices":[]}"#, #"{"choices":[{"index":0}]}"#, "\u{0}",
            #"{"choices":[{"index":0,"message":"x"}]}"#,
        ])
    func noAnswer(_ body: String) {
        let failure = #expect(throws: ProviderFailure.self) {
            try openAI.completion(Array(body.utf8), to: try question())
        }
        #expect(failure?.error.code == "provider_bad_response")
    }

    @Test("models are found by their list")
    func discovery() throws {
        #expect(openAI.discovery()?.path == "/models")
        #expect(openAI.discovery()?.fields["authorization"] == "Bearer sk-secret")
        let list = #"{"object":"list","data":[{"id":"a"},{"id":"b"},{"name":"c"}]}"#
        #expect(try openAI.models(Array(list.utf8)) == ["a", "b"])
        #expect(throws: ProviderFailure.self) { try openAI.models(Array("{}".utf8)) }
    }

    @Test("a call of a tool that was not offered does not reach the client")
    func foreignCalls() throws {
        let events = try fixture("streams/openai-tools-usage.sse")
        let none = try reading(events, by: openAI, tools: "")
        #expect(!none.contains("tool_calls"))
        #expect(none.contains("failure 502 provider_bad_response"))
        let one = try reading(events, by: openAI, tools: "now")
        #expect(one.contains(#""index":0,"id":"call_B""#))
        #expect(!one.contains("get_weather"))
        let old = try reading(fixture("streams/openai-old-function.sse"), by: openAI, tools: "")
        #expect(!old.contains(#""name":"f""#))
    }
}
