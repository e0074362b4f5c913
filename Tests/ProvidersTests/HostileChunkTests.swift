import Foundation
import JSON
import OpenAI
import Providers
import Testing

@Suite("A hostile provider")
struct HostileChunkTests {
    private func stream(_ deltas: [String], finish: String) -> [UInt8] {
        let events = deltas.map {
            #"{"choices":[{"index":0,"delta":\#($0),"finish_reason":null}]}"#
        }
        let end = #"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(finish)"}]}"#
        let all = events + [end, "[DONE]"]
        return Array(all.map { "data: \($0)\n\n" }.joined().utf8)
    }

    @Test("B20: gets none of its own members, ids and links to the caller")
    func strippedStream() throws {
        for name in ["hostile"] {
            let events = try reading(fixture("streams/\(name).sse"), by: openAI)
            for word in ["evil", "javascript", "event", "sources", "selected", "other-id"] {
                #expect(!events.contains(word), "\(word) in \(events)")
            }
        }
    }

    @Test("B20: gets none of its own members to the caller in a reply that is not streamed")
    func strippedReply() throws {
        let body = #"""
            {"id":"evil","model":"evil","event":{"type":"evil"},"sources":["evil"],\#
            "selected_model_id":"evil","choices":[{"index":0,"evil":1,"message":{"role":"evil",\#
            "content":"fine","event":"evil","annotations":[{"type":"url_citation","url_citation":\#
            {"url":"javascript:evil()","title":"evil"}}],"tool_calls":[{"id":"c","type":"function",\#
            "evil":1,"function":{"name":"f","arguments":"{}","evil":1}},{"id":"d","type":"function",\#
            "function":{"name":"evil","arguments":"{}"}}]},"finish_reason":"evil"}]}
            """#
        let read = try openAI.completion(Array(body.utf8), to: question())
        let whole = ChatCompletion(
            id: "ours", created: 1, model: "ours", choices: read.choices, usage: read.usage)
        let reply = text(whole.body())
        #expect(!reply.contains("evil") && reply.contains(#""name":"f""#))
        #expect(reply.contains(#""finish_reason":"tool_calls""#))
    }

    @Test("B20: calls tools that the request does not have in vain; what else it says goes on")
    func undeclaredBesideText() throws {
        let call =
            #"{"tool_calls":[{"index":0,"id":"x","function":{"name":"evil","arguments":"{}"}}]}"#
        let said = stream([#"{"content":"hello"}"#, call], finish: "tool_calls")
        let events = try reading(said, by: openAI)
        #expect(!events.contains("evil") && !events.contains("failure"))
        #expect(events.contains("text hello") && events.contains(#""finish_reason":"stop""#))
    }

    @Test("B20: that does nothing but call tools that the request does not have gives no answer")
    func undeclaredAlone() throws {
        let call =
            #""tool_calls":[{"index":0,"id":"x","function":{"name":"evil","arguments":"{}"}}]"#
        for deltas in [["{\(call)}"], [#"{"reasoning_content":"hm"}"#, "{\(call)}"]] {
            let events = try reading(stream(deltas, finish: "tool_calls"), by: openAI)
            #expect(!events.contains("evil"))
            #expect(events.contains("failure 502 provider_bad_response"), "\(events)")
        }
        let line = #"{"message":{"role":"assistant","content":"",\#(call)},"done":true}"#
        #expect(try reading(Array((line + "\n").utf8), by: ollama).contains("failure 502"))
        let reply = #"{"choices":[{"index":0,"message":{"content":null,\#(call)}}]}"#
        for (provider, body) in [(openAI, reply), (ollama, line)] as [(any Provider, String)] {
            #expect(throws: ProviderFailure.self) {
                _ = try provider.completion(Array(body.utf8), to: try question())
            }
        }
    }

    @Test("B20: calls functions of the old form that the request does not have in vain")
    func undeclaredFunction() throws {
        let deltas = [
            #"{"content":"hello"}"#, #"{"function_call":{"name":"evil","arguments":""}}"#,
            #"{"function_call":{"arguments":"{\"evil\":1}"}}"#,
        ]
        let events = try reading(stream(deltas, finish: "function_call"), by: openAI)
        #expect(!events.contains("function_call") && !events.contains("evil"), "\(events)")
        #expect(events.contains(#""finish_reason":"stop""#))
        let fair = deltas.map { $0.replacing("evil", with: "f") }
        let heard = try reading(stream(fair, finish: "function_call"), by: openAI)
        #expect(heard.contains(#""name":"f""#) && heard.contains(#"{\"f\":1}"#))
        #expect(heard.contains(#""finish_reason":"function_call""#))
    }
}
