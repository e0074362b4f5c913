import JSON
import OpenAI
import Testing

@Suite struct TextCompletionTests {
    private func request(_ members: String) throws -> TextCompletionRequest {
        try TextCompletionRequest(Array(#"{"model":"m",\#(members)}"#.utf8))
    }

    @Test(
        "prompts are counted, and n for each",
        arguments: [
            (#""prompt":"""#, 1, 1, 0), (#""prompt":null"#, 1, 1, 0),
            (#""prompt":["a","","bcd"],"n":2"#, 3, 6, 4), (#""prompt":[1,2,3]"#, 1, 1, 12),
            (#""prompt":[[1],[2,3]],"n":128"#, 2, 256, 12),
            (#""prompt":"abcd","suffix":"ef""#, 1, 1, 8),
        ])
    func prompts(_ members: String, _ prompts: Int, _ choices: Int, _ characters: Int) throws {
        let read = try request(members)
        #expect(read.prompts == prompts && read.choices == choices)
        #expect(read.characterCount == characters)
    }

    @Test("parameters are read at their bounds, null counts as absent, bytes stay as they are")
    func parameters() throws {
        let members = #"""
            "prompt":"x","suffix":"y","max_tokens":0,"temperature":2,"top_p":0,"n":1,"stream":true,\#
            "stream_options":{"include_usage":true},"stop":["a","b","c","d"],"logprobs":5,\#
            "echo":true,"best_of":20,"presence_penalty":-2,"frequency_penalty":2.0,\#
            "logit_bias":{"1":100},"seed":-7,"user":"u","top_k":0.70
            """#
        let read = try request(members)
        #expect(read.isStream && read.includesUsage && read.maximumTokens == 0)
        #expect(read["top_k"].map { text($0.bytes) } == "0.70")
        #expect(text(read.document.bytes) == #"{"model":"m",\#(members)}"#)
        let names = "suffix max_tokens temperature n stream stream_options stop logprobs echo"
        let nulls = names.split(separator: " ").map { #""\#($0)":null"# }.joined(separator: ",")
        let few = try request(#""prompt":"x",\#(nulls)"#)
        #expect(!few.isStream && !few.includesUsage && few.maximumTokens == nil)
    }

    @Test("each refusal names its path and code")
    func refused() throws {
        let lines = try fixture("text-refusals.jsonl").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 30)
        for line in lines { try expectRefusal(line) { _ = try TextCompletionRequest($0) } }
    }

    @Test("a reply has every member that the schema requires")
    func reply() throws {
        let logprobs = Array(#"{"tokens":["a"],"token_logprobs":[-0.10]}"#.utf8)
        let choices = [
            ChatCompletion.Choice(
                index: 0, message: [Member("content", "a \"b\"")], finishReason: .stop),
            ChatCompletion.Choice(
                index: 1, message: [Member("content", .verbatim(Array(#""\u00fc""#.utf8)))],
                finishReason: .length, logprobs: logprobs),
        ]
        let usage = Usage(promptTokens: 3, completionTokens: 4, source: .estimated)
        var reply = TextCompletion(
            id: "cmpl-1", created: 5, model: "m", choices: choices, usage: usage)
        reply.origin.systemFingerprint = Array(#""fp""#.utf8)
        #expect(
            text(reply.body())
                == #"""
                {"id":"cmpl-1","object":"text_completion","created":5,"model":"m","choices":[\#
                {"index":0,"text":"a \"b\"","logprobs":null,"finish_reason":"stop"},\#
                {"index":1,"text":"\u00fc","logprobs":{"tokens":["a"],"token_logprobs":[-0.10]},\#
                "finish_reason":"length"}],\#
                "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7},\#
                "system_fingerprint":"fp"}
                """#)
    }

    @Test("chunks have the same identity, and texts where chats have deltas")
    func chunks() throws {
        let template = ChunkTemplate(id: "cmpl-1", created: 5, model: "m", form: .text)
        #expect(template.opening(choices: 3).isEmpty)
        var output: [UInt8] = []
        template.text(Array(#"a\n"#.utf8)[...], into: &output)
        let other = ChoiceDelta(
            index: 1, delta: [Member("content", "b")], logprobs: Array(#"{"tokens":["b"]}"#.utf8))
        output += template.choices([other, ChoiceDelta(finishReason: .stop)])
        output += template.usage(Usage(promptTokens: 1, completionTokens: 2, source: .counted))
        let head = #"data: {"id":"cmpl-1","object":"text_completion","created":5,"model":"m","#
        let chunks = [
            #""choices":[{"index":0,"text":"a\n","logprobs":null,"finish_reason":null}]}"#,
            #""choices":[{"index":1,"text":"b","logprobs":{"tokens":["b"]},"finish_reason":null}]}"#,
            #""choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]}"#,
            #""choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
        ]
        #expect(text(output) == chunks.map { head + $0 + "\n\n" }.joined())
    }

    @Test("no chunk of text is longer than 64 KiB")
    func longTexts() throws {
        let template = ChunkTemplate(id: "cmpl-1", created: 5, model: "m", form: .text)
        let long = String(repeating: "ü", count: 100_000)
        var output: [UInt8] = []
        template.text(Array(long.utf8)[...], into: &output)
        output += template.choices([
            ChoiceDelta(index: 1, delta: [Member("content", .string(long))])
        ])
        var texts = ["", ""]
        for event in try events(output) {
            #expect(event.bytes.count < 65_536)
            let choice = event.root["choices"]?[0]
            texts[choice?["index"]?.integer ?? 0] += choice?["text"]?.string ?? ""
        }
        #expect(texts == [long, long])
    }
}
