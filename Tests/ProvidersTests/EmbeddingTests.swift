import HTTP
import JSON
import OpenAI
import Providers
import Testing

@Suite struct EmbeddingTests {
    private func call(_ members: String = #""input":["a","b"]"#) throws -> EmbeddingCall {
        let body = #"{"model":"assistant",\#(members)}"#
        return EmbeddingCall(try EmbeddingRequest(Array(body.utf8)), model: "nomic")
    }

    private func read(
        _ reply: String, by provider: any Provider = openAI,
        _ members: String = #""input":["a","b"]"#
    ) throws -> [String] {
        try provider.embeddings(Array(reply.utf8), to: call(members)).embeddings.map { text($0) }
    }

    @Test("the caller's bytes go on, with the model changed")
    func request() throws {
        let sent = try openAI.embeddings(
            call(#""input" : ["\u00fc"], "dimensions":1e2,"top":0.70"#))
        #expect(sent.path == "/embeddings" && sent.method == .post)
        #expect(sent.fields["authorization"] == "Bearer sk-secret")
        #expect(
            text(sent.body)
                == #"{"model":"nomic","input" : ["\u00fc"], "dimensions":1e2,"top":0.70}"#)
    }

    @Test("parameters are renamed and left out as for a chat")
    func adjustments() throws {
        var call = try call(#""input":["a"],"user":"u","dimensions":8"#)
        call.adjustments.rename = [(from: "dimensions", to: "size")]
        call.adjustments.drop = ["user"]
        #expect(
            text(try openAI.embeddings(call).body) == #"{"model":"nomic","input":["a"],"size":8}"#)
        call.adjustments.drop = ["keep_alive"]
        #expect(try !text(ollama.embeddings(call).body).contains("keep_alive"))
    }

    @Test("Ollama is asked in its own words, and told not to cut")
    func ollamaRequest() throws {
        let sent = try ollama.embeddings(
            call(#""input":["\u00fc"],"dimensions":8,"user":"u","keep_alive":"5m""#))
        #expect(sent.path == "/api/embed")
        #expect(
            text(sent.body)
                == #"""
                {"model":"nomic","input":["\u00fc"],"dimensions":8,"truncate":false,\#
                "options":{"num_ctx":8192},"keep_alive":"5m"}
                """#)
        let cut = text(try ollama.embeddings(call(#""input":"x","truncate":true"#)).body)
        #expect(cut.contains(#""truncate":true"#) && !cut.contains("false"))
    }

    @Test("Ollama takes no tokens", arguments: ["[1,2]", "[[1],[2]]"])
    func tokens(_ input: String) throws {
        let call = try call(#""input":\#(input)"#)
        let error = #expect(throws: APIError.self) { try ollama.embeddings(call) }
        #expect(error?.code == "invalid_value" && error?.param == "input")
    }

    @Test("vectors come in the order of their index, spelled as they were")
    func order() throws {
        let reply = #"""
            {"object":"list","event":"evil","model":"x","data":[\#
            {"index":1,"embedding":[ 0.10,-1.50e-2]},{"index":0,"embedding":[1,2.0],"x":1}],
            "usage":{"prompt_tokens":2,"total_tokens":3,"completion_tokens":0}}
            """#
        #expect(try read(reply) == ["[1,2.0]", "[ 0.10,-1.50e-2]"])
        let usage = try openAI.embeddings(Array(reply.utf8), to: call()).usage
        #expect(usage?.promptTokens == 2 && usage?.totalTokens == 3)
        #expect(usage?.source == .provider)
        let bare = #"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#
        #expect(try read(bare) == ["[1]", "[2]"])
        #expect(try openAI.embeddings(Array(bare.utf8), to: call()).usage == nil)
    }

    @Test("Ollama's vectors and count are read")
    func ollamaReply() throws {
        let reply = #"{"model":"x","embeddings":[[0.10],[2]],"prompt_eval_count":4}"#
        #expect(try read(reply, by: ollama) == ["[0.10]", "[2]"])
        #expect(try ollama.embeddings(Array(reply.utf8), to: call()).usage?.totalTokens == 4)
        let uncounted = #"{"embeddings":[[0.10],[2]]}"#
        #expect(try ollama.embeddings(Array(uncounted.utf8), to: call()).usage == nil)
    }

    @Test("base64 is passed on, or made where a provider knows only numbers")
    func base64() throws {
        let members = #""input":"a","encoding_format":"base64""#
        let wanted = [#""AACAPwAAAMA=""#]
        let strings = #"{"data":[{"index":0,"embedding":"AACAPwAAAMA="}]}"#
        #expect(try read(strings, members) == wanted)
        #expect(try read(#"{"data":[{"embedding":[1.0, -2e0]}]}"#, members) == wanted)
        #expect(try read(#"{"embeddings":[[1,-2]]}"#, by: ollama, members) == wanted)
        let escaped = #"{"data":[{"index":0,"embedding":"\/\/\/\/fw=="}]}"#
        #expect(try read(escaped, members) == [#""\/\/\/\/fw==""#])
    }

    @Test(
        "what is not one vector for each text is a bad response",
        arguments: [
            "", "<html>", "[]", "{}", #"{"data":{}}"#, #"{"data":[]}"#, #"{"data":[1,2]}"#,
            #"{"data":[{"embedding":[1]}]}"#, #"{"data":[{"embedding":[1]},{"index":1}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
            #"{"data":[{"index":-1,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
            #"{"data":[{"index":9223372036854775807,"embedding":[1]},{"embedding":[1]}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#,
            #"{"data":[{"embedding":[]},{"embedding":[]}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":[null]}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":["1"]}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":[[1]]}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":"AACAPw=="}]}"#,
            #"{"data":[{"embedding":[1]},{"embedding":{}}]}"#,
        ])
    func noVectors(_ reply: String) throws {
        let failure = #expect(throws: ProviderFailure.self) { try read(reply) }
        #expect(failure?.error.code == "provider_bad_response")
        let native = reply.replacing(#"{"data":"#, with: #"{"embeddings":"#)
            .replacing(#"{"embedding":"#, with: "").replacing("]},", with: "],")
        #expect(throws: ProviderFailure.self) { try read(native, by: ollama) }
    }

    @Test(
        "what is no base64 of floats is a bad response",
        arguments: [#""""#, #""AAA=""#, #""AACAPw=""#, #""AACA<w==""#, "[1e99]", "[true]", "null"])
    func noFloats(_ vector: String) throws {
        let reply = #"{"data":[{"index":0,"embedding":\#(vector)}]}"#
        let failure = #expect(throws: ProviderFailure.self) {
            try read(reply, #""input":"a","encoding_format":"base64""#)
        }
        #expect(failure?.error.code == "provider_bad_response")
    }

    @Test("dimensions that a model does not have are refused, not ignored")
    func dimensions() throws {
        let reply = #"{"data":[{"index":0,"embedding":[1,2,3]}]}"#
        #expect(try read(reply, #""input":"a","dimensions":3"#) == ["[1,2,3]"])
        let failure = #expect(throws: ProviderFailure.self) {
            try read(reply, #""input":"a","dimensions":2"#)
        }
        #expect(failure?.error.code == "invalid_value" && failure?.error.param == "dimensions")
        #expect(failure?.error.message.contains("3") == true)
    }

    @Test("a failure with a good status is a failure")
    func stated() throws {
        for provider in [openAI, ollama] as [any Provider] {
            let failure = #expect(throws: ProviderFailure.self) {
                try read(#"{"error":{"message":"m","code":429},"data":[]}"#, by: provider)
            }
            #expect(failure?.error.code == "provider_rate_limited")
        }
    }

    @Test("a batch of more than a million numbers is read")
    func large() throws {
        let vector = "[" + Array(repeating: "0.5", count: 1500).joined(separator: ",") + "]"
        let texts = Array(repeating: #""x""#, count: 1000).joined(separator: ",")
        let items = Array(repeating: #"{"embedding":\#(vector)}"#, count: 1000)
        let reply = #"{"data":[\#(items.joined(separator: ","))]}"#
        #expect(try read(reply, #""input":[\#(texts)]"#).count == 1000)
    }
}
