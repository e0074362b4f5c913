import HTTP
import JSON
import OpenAI
import Testing

@Suite struct ChatCompletionRequestTests {
    @Test("requests that the schema allows are accepted", arguments: try fixtures(in: "accepted"))
    func accepted(_ name: String) throws {
        _ = try ChatCompletionRequest(fixture("accepted/\(name)"))
    }

    @Test("each refusal names its path and code")
    func refused() throws {
        let lines = try fixture("refusals.jsonl").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 100)
        for line in lines { try expectRefusal(line) { _ = try ChatCompletionRequest($0) } }
    }

    @Test(
        "what is no JSON says where",
        arguments: [
            ("", "empty"), ("{", "byte"), ("{\"model\":}", "byte 9"), ("model", "byte"),
            ("{\"model\":\"a\",\"model\":\"b\"}", "duplicate"),
            (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), "64"),
        ])
    func noJSON(_ body: String, _ word: String) throws {
        let error = #expect(throws: APIError.self) { try request(body) }
        #expect(error?.code == "invalid_json")
        #expect(error?.param == (word == "duplicate" ? "model" : nil))
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test("arguments of a call that are no JSON say where")
    func noArguments() {
        let error = #expect(throws: APIError.self) {
            try request(
                #"""
                {"model":"m","messages":[{"role":"assistant","tool_calls":[
                {"id":"a","type":"function","function":{"name":"f","arguments":"{x"}}]}]}
                """#)
        }
        let place = "'messages[0].tool_calls[0].function.arguments'"
        let fault = "it is not valid JSON: unexpected character at byte 1"
        #expect(error?.message == "Invalid value for \(place): \(fault).")
    }

    @Test("a body that is no object is told so", arguments: ["[]", "\"x\"", "null", "1", " true "])
    func noObject(_ body: String) {
        let error = #expect(throws: APIError.self) { try request(body) }
        #expect(error?.code == "invalid_type")
        #expect(error?.message.contains("must be an object") == true)
    }

    @Test("parameters are read")
    func parameters() throws {
        let all = try ChatCompletionRequest(fixture("accepted/every-parameter.json"))
        #expect(all.model == "assistant")
        #expect(all.messages.map(\.role) == [.system, .developer, .user])
        #expect(all.isStream && all.includesUsage && all.store)
        #expect(all.choices == 1)
        #expect(all.maximumTokens == 200)
        #expect(all.metadata.pairs.map(\.key) == ["topic", "ticket"])
        #expect(all["temperature"].map { text($0.bytes) } == "0.7")
        let few = try ChatCompletionRequest(fixture("accepted/nulls-are-absent.json"))
        #expect(!few.isStream && !few.includesUsage && !few.store)
        #expect(few.choices == 1 && few.maximumTokens == nil && few["temperature"] == nil)
    }

    @Test("the caller's bytes stay as they are")
    func untouched() throws {
        let body = try fixture("accepted/unknown-members.json")
        #expect(try ChatCompletionRequest(body).document.bytes == body)
    }

    @Test("texts are joined over parts and messages")
    func texts() throws {
        let chat = try talk(
            #"""
            {"role":"system","content":"S"},
            {"role":"user","content":[{"type":"text","text":"a"},
              {"type":"image_url","image_url":{"url":"data:,"}},{"type":"text","text":"b"}]},
            {"role":"assistant","content":"c"}
            """#)
        #expect(chat.text == "S\na\nb\nc")
        #expect(chat.lastUserText == "a\nb")
        #expect(chat.soleText == nil)
        #expect(chat.characterCount == 12)
    }

    @Test("a lone message shows the shape of a side request")
    func sole() throws {
        let chat = try talk(
            ####"{"role":"system","content":"S"},{"role":"user","content":"### Task:\nx"}"####)
        #expect(chat.soleText == "### Task:\nx")
    }

    @Test("long data URLs are recognised without decoding them")
    func dataURL() throws {
        let data = String(repeating: "A", count: 100_000)
        _ = try talk(
            #"""
            {"role":"user","content":[{"type":"image_url",\#
            "image_url":{"url":"data:image\/png;base64,\#(data)"}}]}
            """#
        )
    }

    @Test("calls of a message are read, also of the old form")
    func calls() throws {
        let chat = try ChatCompletionRequest(fixture("accepted/tool-rounds.json"))
        #expect(
            chat.messages[1].toolCalls == [
                ToolCall(id: "call_a", name: "get_weather", arguments: #"{"city":"Bern"}"#),
                ToolCall(id: "call_b", name: "now", arguments: ""),
            ])
        #expect(chat.messages[2].toolCallID == "call_b")
        #expect(chat.messages[4].toolCalls.first?.isCustom == true)
        let old = try ChatCompletionRequest(fixture("accepted/old-functions.json"))
        #expect(old.messages[1].toolCalls == [ToolCall(id: "", name: "f", arguments: "{}")])
    }
}
