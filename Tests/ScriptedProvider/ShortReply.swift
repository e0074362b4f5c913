import JSON

/// A short answer as bytes on the connection, with text of several bytes a character, a call of the tool `weather` and
/// usage, which a provider may break off anywhere.
package enum ShortReply: String, Sendable, CaseIterable {
    case openAIStream, openAIReply, ollamaStream, ollamaReply

    /// All of it.
    package var bytes: [UInt8] {
        switch self {
        case .openAIStream: Self.chunked("text/event-stream", events.map { "data: \($0)\n\n" })
        case .ollamaStream: Self.chunked("application/x-ndjson", events.map { $0 + "\n" })
        case .openAIReply, .ollamaReply: Player.reply(status: 200, body: Array(events[0].utf8))
        }
    }

    /// How much of it must have come until it is an answer.
    package var terminal: Int {
        switch self {
        case .openAIReply, .ollamaReply: return bytes.count
        case .openAIStream, .ollamaStream:
            let end = self == .openAIStream ? "\"}]}\n\n" : "\"done\":true}\n"
            let text = String(decoding: bytes, as: UTF8.self)
            let last = text.ranges(of: end).last?.upperBound ?? text.endIndex
            return text[..<last].utf8.count
        }
    }

    /// The text that it says.
    package static let text = "ü🙂"

    private static func chunked(_ type: String, _ pieces: [String]) -> [UInt8] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n"
        let chunks = pieces.map { String($0.utf8.count, radix: 16) + "\r\n\($0)\r\n" }
        return Array((head + chunks.joined() + "0\r\n\r\n").utf8)
    }

    private var events: [String] {
        let function = #""function":{"name":"weather","arguments":"#
        let usage = #""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#
        switch self {
        case .openAIStream:
            let call = #"{"index":0,"id":"c","type":"function",\#(function)"{}"}}"#
            let deltas = [#""content":"ü"#, #""content":"🙂"#].map { $0 + "\"" }
            return (deltas + [#""tool_calls":[\#(call)]"#]).map {
                #"{"choices":[{"index":0,"delta":{\#($0)}}]}"#
            } + [
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
                #"{"choices":[],\#(usage)}"#, "[DONE]",
            ]
        case .openAIReply:
            let call = #"{"id":"c","type":"function",\#(function)"{}"}}"#
            return [
                #"{"choices":[{"index":0,"message":{"content":"\#(Self.text)","tool_calls":[\#(call)]},"#
                    + #""finish_reason":"tool_calls"}],\#(usage)}"#
            ]
        case .ollamaStream:
            return [
                #"{"message":{"content":"ü"}}"#, #"{"message":{"content":"🙂"}}"#,
                #"{"message":{"content":"","tool_calls":[{\#(function){}}}]}}"#,
                #"{"message":{"content":""},"prompt_eval_count":1,"eval_count":2,"done":true}"#,
            ]
        case .ollamaReply:
            return [
                #"{"message":{"content":"\#(Self.text)","tool_calls":[{\#(function){}}}]},"#
                    + #""prompt_eval_count":1,"eval_count":2,"done":true}"#
            ]
        }
    }
}

/// The question says which bytes: `close 99 openAIStream` or `reset 99 openAIStream` for so many of that answer, or the
/// name of some garbage.
func bytes(_ prompt: Prompt) -> [Step] {
    let words = prompt.question.split(separator: " ").map(String.init)
    if words.count == 3, let count = Int(words[1]), let reply = ShortReply(rawValue: words[2]) {
        return [.wire(Array(reply.bytes.prefix(count))), words[0] == "reset" ? .reset : .cut]
    }
    return garbage.first { $0.name == prompt.question }?.steps ?? [.cut]
}
