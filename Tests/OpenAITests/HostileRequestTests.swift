import FuzzTargets
import HTTP
import OpenAI
import Testing

@Suite("Hostile requests")
struct HostileRequestTests {
    private static let messages = #""model":"m","messages":[{"role":"user","content":"x"}]"#

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        (0..<count).map(element).joined(separator: ",")
    }

    private static func tool(_ number: Int) -> String {
        #"{"type":"function","function":{"name":"f\#(number)"}}"#
    }

    /// Requests that are as long as they are asked to be, wherever something is looked up for each of many.
    private static let shapes: [@Sendable (Int) -> String] = [
        { count in
            let all = list(count, tool)
            let allowed = #"{"mode":"auto","tools":[\#(all)]}"#
            let choice = #"{"type":"allowed_tools","allowed_tools":\#(allowed)}"#
            return #"{\#(messages),"tools":[\#(all)],"tool_choice":\#(choice)}"#
        },
        { count in
            let calls = list(count) {
                #"{"id":"c\#($0)","type":"function","function":{"name":"f","arguments":"{}"}}"#
            }
            let answers = list(count) {
                #"{"role":"tool","tool_call_id":"c\#($0)","content":"x"}"#
            }
            let history = #"{"role":"assistant","tool_calls":[\#(calls)]},\#(answers)"#
            return #"{"model":"m","messages":[\#(history)]}"#
        },
        { #"{\#(messages),\#(list($0) { "\"key\($0)\":0" })}"# },
        { #"{\#(messages),"logit_bias":{\#(list($0) { "\"\($0)\":1" })}}"# },
        { #"{"model":"m","messages":[\#(list($0) { _ in #"{"role":"user","content":"x"}"# })]}"# },
        { count in
            let parts = list(count) { #"{"type":"text","text":"\#($0)"}"# }
            return #"{"model":"m","messages":[{"role":"user","content":[\#(parts)]}]}"#
        },
    ]

    @Test(
        "E3: are read in a time that grows with their length and no faster",
        arguments: shapes.indices)
    func linear(_ shape: Int) throws {
        let make = Self.shapes[shape]
        let (short, long) = (Array(make(1_000).utf8), Array(make(4_000).utf8))
        func time(_ body: [UInt8]) throws -> Duration {
            try (0..<3).map { _ in
                try ProcessorTime.taken {
                    let request = try ChatCompletionRequest(body)
                    _ = (request.toolNames.count, request.characterCount, request.lastUserText)
                    for message in request.messages { message.canonical.forEachPiece { _ in } }
                }
            }.min() ?? .zero
        }
        let (one, four) = (try time(short), try time(long))
        #expect(four < one * 9 + .milliseconds(10), "\(one) for a quarter of what took \(four)")
    }

    @Test("E3: name a doubled key by its path, and never more of it than fits a message")
    func doubledKey() throws {
        let text = #"{"model":"m","messages":[{"role":"user","content":"x","role":"system"}]}"#
        let error = #expect(throws: APIError.self) { try request(text) }
        #expect(error?.code == "invalid_json" && error?.param == "messages[0].role")
        let key = String(repeating: "k", count: 100_000)
        for text in [
            #"{"\#(key)":1,"\#(key)":1}"#, #"{\#(Self.messages),"metadata":{"\#(key)":1}}"#,
        ] {
            let error = #expect(throws: APIError.self) { try request(text) }
            #expect(error?.status == 400)
            #expect((error?.body().count ?? .max) < 1000)
        }
    }
}
