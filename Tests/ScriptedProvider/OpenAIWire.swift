/// OpenAI's chat completions.
struct OpenAIWire: Wire {
    let model: String
    let streamType = "text/event-stream"

    private static let prefix = #"{"id":"chatcmpl-scripted","object":"chat.completion"#

    var opening: [UInt8] { delta(#""role":"assistant","content":"""#) }

    func bytes(_ step: Step, usage: Usage) -> [UInt8] {
        switch step {
        case .text(let text): delta(#""content":"# + quoted(text))
        case .reasoning(let text): delta(#""reasoning_content":"# + quoted(text))
        case .refusal(let text): delta(#""refusal":"# + quoted(text))
        case .tool(let index, let id, let name, let arguments):
            delta(tool(index, id, name, arguments))
        case .members(let members): event(#""choices":[],"# + members)
        case .finish(let reason): finish(reason, usage)
        case .usage: event(#""choices":[],"# + counts(usage))
        case .done: Array("data: [DONE]\n\n".utf8)
        default: []
        }
    }

    private func finish(_ reason: String, _ usage: Usage) -> [UInt8] {
        let last = event(
            #""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"\#(reason)"}]"#)
        return usage.isWanted ? last + event(#""choices":[],"# + counts(usage)) : last
    }

    private func delta(_ member: String) -> [UInt8] {
        event(
            #""choices":[{"index":0,"delta":{"# + member + #"},"logprobs":null,"#
                + #""finish_reason":null}]"#)
    }

    private func tool(_ index: Int, _ id: String?, _ name: String?, _ arguments: String) -> String {
        let opening = id.map { #""id":"\#($0)","type":"function","# } ?? ""
        let named = name.map { #""name":"\#($0)","# } ?? ""
        return #""tool_calls":[{"index":\#(index),\#(opening)"function":{\#(named)"arguments":"#
            + quoted(arguments) + "}}]"
    }

    private func event(_ members: String) -> [UInt8] {
        var bytes = Array("data: ".utf8)
        bytes += Self.prefix.utf8
        bytes += #".chunk","created":1700000000,"model":"#.utf8
        bytes += quoted(model).utf8
        bytes.append(0x2C)
        bytes += members.utf8
        bytes += "}\n\n".utf8
        return bytes
    }

    private func counts(_ usage: Usage) -> String {
        #""usage":{"prompt_tokens":\#(usage.prompt),"completion_tokens":\#(usage.completion),"#
            + #""total_tokens":\#(usage.prompt + usage.completion),"#
            + #""prompt_tokens_details":{"cached_tokens":0}}"#
    }

    func body(_ answer: Answer, usage: Usage) -> [UInt8] {
        var message = [#""role":"assistant""#]
        let isEmpty = answer.text.isEmpty && (!answer.toolCalls.isEmpty || answer.refusal != nil)
        message.append(#""content":"# + (isEmpty ? "null" : quoted(answer.text)))
        message.append(#""refusal":"# + (answer.refusal.map(quoted) ?? "null"))
        if !answer.reasoning.isEmpty {
            message.append(#""reasoning_content":"# + quoted(answer.reasoning))
        }
        if !answer.toolCalls.isEmpty { message.append(tools(answer.toolCalls)) }
        let finish = answer.finish.map(quoted) ?? "null"
        let content = message.joined(separator: ",")
        let members = [
            #"\#(Self.prefix)","created":1700000000,"model":\#(quoted(model))"#,
            #""choices":[{"index":0,"message":{\#(content)},"logprobs":null,"#
                + #""finish_reason":\#(finish)}]"#,
            counts(usage),
        ]
        return Array((members + answer.members).joined(separator: ",").utf8) + [0x7D]
    }

    private func tools(_ calls: [Answer.ToolCall]) -> String {
        let items = calls.map {
            #"{"id":"\#($0.id)","type":"function","function":{"name":"\#($0.name)","arguments":"#
                + quoted($0.arguments) + "}}"
        }
        return #""tool_calls":["# + items.joined(separator: ",") + "]"
    }
}
