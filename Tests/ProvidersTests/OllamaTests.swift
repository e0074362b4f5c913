import HTTP
import JSON
import OpenAI
import Providers
import Testing

@Suite struct OllamaTests {
    private func body(_ json: String, system: String? = nil) throws -> Node {
        let call = ChatCall(
            try request(json), model: "llama3.2", isStream: true, systemText: system)
        return try Document(try ollama.chat(call).body).root
    }

    private func spelled(_ node: Node?) -> String? { node.map { text($0.bytes) } }

    @Test("a prompt that the window does not hold is spoken of, since Ollama cuts it in silence")
    func window() throws {
        func warning(_ characters: Int, _ members: String = "", system: Int = 0) throws -> String? {
            let content = String(repeating: "x", count: characters)
            let json =
                #"{"model":"a","messages":[{"role":"user","content":"\#(content)"}]\#(members)}"#
            let text = system > 0 ? String(repeating: "y", count: system) : nil
            return ollama.warning(
                of: ChatCall(
                    try request(json), model: "m", isStream: false, systemText: text))
        }
        #expect(try warning(4 * 8192) == nil)
        #expect(try warning(4 * 8193)?.contains("window of 8192 tokens") == true)
        #expect(try warning(4 * 8000, system: 4 * 193) != nil)
        #expect(try warning(4 * 8193, #","num_ctx":16384"#) == nil)
    }

    @Test("parameters become options, the window comes from the configuration")
    func options() throws {
        let root = try body(
            #"""
            {"model":"a","stream":true,"stream_options":{"include_usage":true},\#
            "messages":[{"role":"user","content":"x"}],
            "temperature":0.70,"top_p":0.9,"top_k":40,"min_p":0.05,"seed":7,"stop":"END",\#
            "max_tokens":5,
            "max_completion_tokens":6,"frequency_penalty":1,"presence_penalty":-1,\#
            "keep_alive":"5m","user":"u"}
            """#)
        #expect(spelled(root["model"]) == #""llama3.2""#)
        #expect(root["stream"]?.boolean == true)
        let options = try #require(root["options"])
        #expect(options["num_ctx"]?.integer == 8192)
        #expect(options["num_predict"]?.integer == 6)
        #expect(spelled(options["temperature"]) == "0.70")
        #expect(spelled(options["stop"]) == #"["END"]"#)
        for key in ["top_p", "top_k", "min_p", "seed", "frequency_penalty", "presence_penalty"] {
            #expect(options[key] != nil, "\(key)")
            #expect(root[key] == nil, "\(key)")
        }
        #expect(spelled(root["keep_alive"]) == #""5m""#)
        #expect(root["user"] == nil && root["max_tokens"] == nil && root["stream_options"] == nil)
    }

    @Test(
        "formats and thinking are translated",
        arguments: [
            (#""response_format":{"type":"json_object"}"#, "format", #""json""#),
            (
                ##"""
                "response_format":{"type":"json_schema","json_schema":{"name":"n",\##
                "schema":{"$ref":"#/x"}}}
                """##,
                "format", ##"{"$ref":"#/x"}"##
            ),
            (#""response_format":{"type":"text"}"#, "format", nil),
            (#""reasoning_effort":"none""#, "think", "false"),
            (#""reasoning_effort":"minimal""#, "think", #""low""#),
            (#""reasoning_effort":"high""#, "think", #""high""#), (#""seed":1"#, "think", nil),
        ])
    func translated(_ member: String, _ key: String, _ expected: String?) throws {
        let root = try body(
            #"{"model":"a","messages":[{"role":"user","content":"x"}],\#(member)}"#)
        #expect(spelled(root[key]) == expected)
    }

    @Test("messages are translated: parts, pictures, calls, results, thinking")
    func messages() throws {
        let root = try body(
            ##"""
            {"model":"a","tools":[{"type":"function","function":{"name":"f",\##
            "parameters":{"$ref":"#/a"}}}],"messages":[
            {"role":"developer","content":"D"},
            {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},
              {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},
            {"role":"assistant","content":null,"reasoning_content":"r","tool_calls":[
              {"id":"c","type":"function","function":{"name":"f","arguments":"{\"n\":0.10}"}},
              {"id":"d","type":"function","function":{"name":"g","arguments":""}}]},
            {"role":"tool","tool_call_id":"d","content":"y"}]}
            """##, system: "S")
        let expected = [
            #"{"role":"system","content":"S\n\nD"}"#,
            #"{"role":"user","content":"a\nb","images":["iVBO"]}"#,
            #"""
            {"role":"assistant","content":"","thinking":"r",\#
            "tool_calls":[{"function":{"name":"f","arguments":{"n":0.10}}},\#
            {"function":{"name":"g","arguments":{}}}]}
            """#,
            #"{"role":"tool","content":"y","tool_name":"g"}"#,
        ]
        #expect(root["messages"]?.elements.map { text($0.bytes) } == expected)
        #expect(
            spelled(root["tools"])
                == ##"[{"type":"function","function":{"name":"f","parameters":{"$ref":"#/a"}}}]"##)
        let lone = try body(
            #"{"model":"a","messages":[{"role":"user","content":"x"}]}"#, system: "S")
        #expect(spelled(lone["messages"]?[0]) == #"{"role":"system","content":"S"}"#)
    }

    @Test(
        "what Ollama cannot do is refused with its path",
        arguments: [
            (#""n":2"#, "n"), (#""logit_bias":{"1":1}"#, "logit_bias"),
            (
                #""tool_choice":"required","tools":[{"type":"function","function":{"name":"f"}}]"#,
                "tool_choice"
            ),
            (#""tools":[{"type":"custom","custom":{"name":"f"}}]"#, "tools[0].type"),
            (#""functions":[{"name":"f"}]"#, "functions"),
            (#""web_search_options":{}"#, "web_search_options"),
        ])
    func refused(_ member: String, _ param: String) {
        let error = #expect(throws: APIError.self) {
            try body(#"{"model":"a","messages":[{"role":"user","content":"x"}],\#(member)}"#)
        }
        #expect(error?.status == 400 && error?.code == "invalid_value")
        #expect(error?.param == param)
    }

    @Test(
        "pictures from elsewhere, sounds and files are refused",
        arguments: [
            (
                #"{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}"#,
                ".image_url.url"
            ),
            (
                #"{"type":"image_url","image_url":{"url":"data:image/svg+xml,<svg/>"}}"#,
                ".image_url.url"
            ),
            (#"{"type":"input_audio","input_audio":{"data":"","format":"wav"}}"#, ".type"),
            (#"{"type":"file","file":{"file_id":"f"}}"#, ".type"),
        ])
    func refusedParts(_ part: String, _ param: String) {
        let error = #expect(throws: APIError.self) {
            try body(#"{"model":"a","messages":[{"role":"user","content":[\#(part)]}]}"#)
        }
        #expect(error?.param == "messages[0].content[0]" + param)
    }

    @Test("tool_choice none hides the tools")
    func noTools() throws {
        let root = try body(
            #"""
            {"model":"a","messages":[{"role":"user","content":"x"}],\#
            "tool_choice":"none","tools":[{"type":"function","function":{"name":"f"}}]}
            """#
        )
        #expect(root["tools"] == nil)
    }

    @Test("a whole answer is read")
    func completion() throws {
        let answer =
            #"""
            {"model":"m","message":{"role":"assistant","content":"c","thinking":"t",\#
            "tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":true,\#
            "done_reason":"stop","prompt_eval_count":3,"eval_count":4}
            """#
        let read = try ollama.completion(Array(answer.utf8), to: try question())
        let choice = try #require(read.choices.first)
        #expect(choice.text == "c")
        #expect(choice.finishReason == .toolCalls)
        #expect(choice.message.map(\.key) == ["reasoning_content", "content", "tool_calls"])
        #expect(read.usage?.totalTokens == 7)
    }

    @Test("models are found by their tags")
    func discovery() throws {
        #expect(ollama.discovery()?.path == "/api/tags")
        let list =
            #"{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest"},{"model":"b"}]}"#
        #expect(try ollama.models(Array(list.utf8)) == ["llama3.2:latest", "b"])
    }

    @Test("every kind has its line in the table")
    func table() {
        #expect(providerTable.map(\.kind) == ["openai", "ollama", "extractive"])
    }
}
