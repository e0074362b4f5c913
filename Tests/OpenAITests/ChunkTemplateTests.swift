import JSON
import OpenAI
import Testing

@Suite struct ChunkTemplateTests {
    private let template = ChunkTemplate(id: "chatcmpl-1", created: 1_700_000_000, model: "a \"b\"")

    private func textChunks(_ escaped: String) throws -> [Document] {
        var output: [UInt8] = []
        template.text(Array(escaped.utf8)[...], into: &output)
        return try events(output)
    }

    @Test("an ordinary chunk is what the schema says, spliced")
    func ordinary() {
        var output: [UInt8] = []
        template.text(Array(#"a\n"#.utf8)[...], into: &output)
        #expect(
            text(output)
                == #"""
                data: {"id":"chatcmpl-1","object":"chat.completion.chunk",\#
                "created":1700000000,"model":"a \"b\"","choices":[{"index":0,\#
                "delta":{"content":"a\n"},"finish_reason":null}]}
                """#
                + "\n\n")
    }

    @Test("the first chunk says who speaks, the last why it ended")
    func ends() throws {
        let first = try #require(try events(template.opening()).first).root["choices"]?[0]
        #expect(first.map { text($0["delta"]!.bytes) } == #"{"role":"assistant","content":""}"#)
        #expect(first?["finish_reason"]?.isNull == true)
        #expect(try events(template.opening(choices: 3)).count == 3)
        let last = try #require(try events(template.finish(.length)).first).root["choices"]?[0]
        #expect(last.map { text($0["delta"]!.bytes) } == "{}")
        #expect(last?["finish_reason"]?.string == "length")
    }

    @Test("the usage chunk has no choices and the provider's spelling")
    func usage() throws {
        let spelled = #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":0.10}"#
        let usage = try #require(Usage(Document(Array(spelled.utf8)).root))
        let root = try #require(try events(template.usage(usage)).first).root
        #expect(root["choices"].map { text($0.bytes) } == "[]")
        #expect(root["usage"].map { text($0.bytes) } == spelled)
    }

    @Test("a failure in band has no choices")
    func failure() throws {
        let root = try #require(try events(template.failure(.providerDisconnected)).first).root
        #expect(root["choices"] == nil)
        #expect(root["error"]?["code"]?.string == "provider_disconnected")
    }

    @Test("fingerprint and tier stand in every chunk once they are known")
    func origin() throws {
        var template = template
        let source = try Document(Array(#"{"system_fingerprint":"fp","service_tier":null}"#.utf8))
        template.adopt(Origin(source.root))
        var output: [UInt8] = []
        template.text([65], into: &output)
        output += template.finish(.stop)
        for event in try events(output) {
            #expect(event.root["system_fingerprint"]?.string == "fp")
            #expect(event.root["service_tier"] == nil)
        }
    }

    @Test(
        "long texts become chunks under the limit, cut between characters",
        arguments: [
            "x", "ü", "😀", #"\n"#, #"\ud83d\ude00"#, #"a\u00fc\"€😀"#,
        ])
    func long(_ unit: String) throws {
        let whole = String(repeating: unit, count: 200_000 / unit.utf8.count)
        let chunks = try textChunks(whole)
        #expect(chunks.count > 2)
        #expect(chunks.allSatisfy { $0.bytes.count + 8 < 65_536 })
        let joined = chunks.compactMap { $0.root["choices"]?[0]?["delta"]?["content"]?.string }
        #expect(joined.joined() == StringLiteral.decode(content: Array(whole.utf8)))
        #expect(!joined.joined().contains("\u{FFFD}"))
    }

    @Test("long reasoning and arguments are divided, the end comes last and once")
    func longSteps() throws {
        let long = [UInt8](repeating: UInt8(ascii: "r"), count: 150_000)
        let step = ChoiceDelta(
            delta: [Member("reasoning_content", .verbatim(EscapedText.quoted(long[...])))],
            toolCalls: [ToolCallDelta(index: 0, id: "c", name: "f", arguments: long)],
            finishReason: .toolCalls)
        let chunks = try events(template.choices([step]))
        #expect(chunks.allSatisfy { $0.bytes.count + 8 < 65_536 })
        var draft = ChatDraft()
        var names = 0
        for chunk in chunks {
            let delta = try #require(chunk.root["choices"]?[0]?["delta"])
            if let more = delta["reasoning_content"]?.string {
                draft.append(ChoiceDelta(delta: [Member("reasoning_content", .string(more))]))
            }
            if let call = delta["tool_calls"]?[0] {
                #expect(call["index"]?.integer == 0)
                if call["function"]?["name"] != nil { names += 1 }
                let more = call["function"]?["arguments"]?.string ?? ""
                draft.append(
                    ChoiceDelta(toolCalls: [ToolCallDelta(index: 0, arguments: Array(more.utf8))]))
            }
        }
        #expect(names == 1)
        #expect(draft.text("reasoning_content").utf8.count == 150_000)
        #expect(draft.toolCalls.first?.arguments.utf8.count == 150_000)
        let reasons = chunks.map { $0.root["choices"]?[0]?["finish_reason"]?.string }
        #expect(reasons.last == "tool_calls")
        #expect(reasons.dropLast().allSatisfy { $0 == nil })
    }

    @Test("a step that shows nothing gives no chunk")
    func nothing() {
        #expect(template.choices([ChoiceDelta()]).isEmpty)
    }
}
