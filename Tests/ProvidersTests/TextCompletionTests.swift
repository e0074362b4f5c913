import HTTP
import JSON
import OpenAI
import Providers
import Testing

@Suite struct TextCompletionTests {
    private func body(
        _ members: String, by provider: any Provider = openAI, isStream: Bool = false
    ) throws -> String {
        text(
            try provider.text(
                TextCall(textRequest(members), model: "coder", isStream: isStream)
            ).body)
    }

    @Test("the caller's bytes go on, with model and stream changed, and usage asked for")
    func request() throws {
        let members = #""prompt" : ["\u00fc"], "temperature":0.70,"suffix":"y","top_k":1e1"#
        #expect(
            try body(members) == #"{"model":"coder",\#(members),"stream":false}"#)
        #expect(
            try body(members, isStream: true)
                == #"{"model":"coder",\#(members),"stream":true,"#
                + #""stream_options":{"include_usage":true}}"#)
        let sent = try openAI.text(TextCall(textRequest(), model: "coder", isStream: true))
        #expect(sent.path == "/completions" && sent.method == .post)
        #expect(sent.fields["authorization"] == "Bearer sk-secret")
        #expect(sent.fields["accept"] == "text/event-stream")
    }

    @Test("parameters are renamed and left out as for a chat, and get no defaults")
    func adjustments() throws {
        let members = #""prompt":"p","user":"u","max_tokens":5,"temperature":0.7"#
        func sent(by provider: any Provider) throws -> String {
            var call = TextCall(try textRequest(members), model: "coder", isStream: false)
            call.adjustments.defaults = [(key: "top_p", value: Array("0.5".utf8))]
            call.adjustments.rename = [(from: "max_tokens", to: "max_new_tokens")]
            call.adjustments.drop = ["user", "temperature"]
            return text(try provider.text(call).body)
        }
        #expect(
            try sent(by: openAI)
                == #"{"model":"coder","prompt":"p","max_new_tokens":5,"stream":false}"#)
        #expect(try !sent(by: ollama).contains("temperature"))
    }

    @Test("Ollama is asked in its own words")
    func ollamaRequest() throws {
        #expect(
            try body(
                #"""
                "prompt":"def f(\u00fc","suffix":"\n","max_tokens":7,"temperature":0.70,"stop":"END",\#
                "keep_alive":"5m","user":"u","stream":true,"stream_options":{},"n":1,"best_of":1
                """#, by: ollama, isStream: true
            )
            .replacing(#","stop":["END"]"#, with: "").replacing(#","temperature":0.70"#, with: "")
                == #"""
                {"model":"coder","prompt":"def f(ü","stream":true,"suffix":"\n",\#
                "options":{"num_ctx":8192,"num_predict":7},"keep_alive":"5m"}
                """#)
        let options = try Document(
            Array(
                body(#""prompt":["x"],"temperature":0.70,"stop":"END""#, by: ollama).utf8)
        ).root["options"]
        #expect(options?["temperature"].map { text($0.bytes) } == "0.70")
        #expect(options?["stop"].map { text($0.bytes) } == #"["END"]"#)
        #expect(
            try ollama.text(TextCall(textRequest(), model: "m", isStream: false)).path
                == "/api/generate")
    }

    @Test(
        "what Ollama cannot do is refused with its name",
        arguments: [
            (#""prompt":"""#, "prompt"), (#""prompt":null"#, "prompt"),
            (#""prompt":["a","b"]"#, "prompt"), (#""prompt":[1]"#, "prompt"),
            (#""prompt":[[1]]"#, "prompt"), (#""prompt":"x","n":2"#, "n"),
            (#""prompt":"x","best_of":2"#, "best_of"), (#""prompt":"x","echo":true"#, "echo"),
            (#""prompt":"x","logprobs":0"#, "logprobs"),
            (#""prompt":"x","logit_bias":{"1":1}"#, "logit_bias"),
            (#""prompt":"x","max_tokens":0"#, "max_tokens"),
        ])
    func refused(_ members: String, _ param: String) {
        let error = #expect(throws: APIError.self) { try body(members, by: ollama) }
        #expect(error?.code == "invalid_value" && error?.param == param)
    }

    @Test("a whole answer is rebuilt from allowed members")
    func completion() throws {
        let answer = #"""
            {"id":"x","object":"text_completion","model":"coder","system_fingerprint":"fp","event":{},
            "choices":[{"index":1,"text":"\u00fc","finish_reason":"eos_token","stop_reason":7,\#
            "logprobs":{"tokens":["a"],"token_logprobs":[-0.10],"evil":[]},"message":{"content":"evil"}},
            {"index":0,"text":"","finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}
            """#
        let read = try openAI.completion(
            Array(answer.utf8), to: textQuestion(#""prompt":"x","n":2"#))
        let usage = try #require(read.usage)
        let reply = TextCompletion(
            id: "i", created: 1, model: "m", choices: read.choices, usage: usage)
        #expect(
            text(reply.body())
                == #"""
                {"id":"i","object":"text_completion","created":1,"model":"m","choices":[\#
                {"index":0,"text":"","logprobs":null,"finish_reason":"stop"},\#
                {"index":1,"text":"\u00fc","logprobs":{"tokens":["a"],"token_logprobs":[-0.10]},\#
                "finish_reason":"stop"}],\#
                "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}
                """#)
        #expect(read.origin.systemFingerprint.map { text($0) } == #""fp""#)
        let native = #"""
            {"response":"r","thinking":"t","done":true,"done_reason":"length","eval_count":2,\#
            "prompt_eval_count":3}
            """#
        let own = try ollama.completion(Array(native.utf8), to: textQuestion())
        #expect(own.choices.map(\.text) == ["r"] && own.choices[0].finishReason == .length)
        #expect(own.choices[0].message.map(\.key) == ["content"])
        #expect(own.usage?.totalTokens == 5)
    }

    @Test(
        "what is no answer is a bad response",
        arguments: [
            "", "<html>", "[]", "{}", #"{"choices":[]}"#, #"{"choices":[{"index":0}]}"#,
            #"{"choices":[{"index":0,"text":null,"finish_reason":"stop"}]}"#,
            #"{"choices":[{"index":0,"text":["x"],"finish_reason":"stop"}]}"#,
            #"{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}"#,
            #"{"response":7}"#, #"{"message":{"content":"x"},"done":true}"#,
        ])
    func noAnswer(_ body: String) throws {
        for provider in [openAI, ollama] as [any Provider] {
            let failure = #expect(throws: ProviderFailure.self) {
                try provider.completion(Array(body.utf8), to: textQuestion())
            }
            #expect(failure?.error.code == "provider_bad_response")
        }
    }

    @Test("an answer to only some of the prompts is none")
    func someOfThem() throws {
        let one = Array(#"{"choices":[{"index":0,"text":"x","finish_reason":"stop"}]}"#.utf8)
        #expect(throws: ProviderFailure.self) {
            try openAI.completion(one, to: textQuestion(#""prompt":["a","b"]"#))
        }
        let twice = #"{"choices":[{"text":"x"},{"text":"y"}]}"#
        #expect(throws: ProviderFailure.self) {
            try openAI.completion(Array(twice.utf8), to: textQuestion(#""prompt":["a","b"]"#))
        }
        let fewer = try openAI.completion(one, to: textQuestion(#""prompt":"a","n":2"#))
        #expect(fewer.choices.count == 1)
        let many = (0..<300).map { #"{"index":\#($0),"text":"x","finish_reason":"stop"}"# }
        let prompts = Array(repeating: #""a""#, count: 300).joined(separator: ",")
        let all = try openAI.completion(
            Array(#"{"choices":[\#(many.joined(separator: ","))]}"#.utf8),
            to: textQuestion(#""prompt":[\#(prompts)]"#))
        #expect(all.choices.count == 300)
    }
}
