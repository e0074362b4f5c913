/// Ollama's own API, for chats or for prompts: newline-delimited JSON.
struct OllamaWire: Wire {
    let model: String
    let isChat: Bool
    let streamType = "application/x-ndjson"

    let opening: [UInt8] = []

    func bytes(_ step: Step, usage: Usage) -> [UInt8] {
        switch step {
        case .text(let text): message(content(text))
        case .reasoning(let text): message(content("") + #","thinking":"# + quoted(text))
        case .tool(_, _, let name, let arguments):
            // Ollama never sends a call in pieces: only the whole ones are shown.
            name.map { message(content("") + "," + tools([($0, arguments)])) } ?? []
        case .finish(let reason): last(reason, usage)
        default: []
        }
    }

    private func content(_ text: String) -> String {
        (isChat ? #""content":"# : #""response":"#) + quoted(text)
    }

    private func said(_ members: String) -> String {
        let head = #"{"model":\#(quoted(model)),"created_at":"2026-01-01T00:00:00Z","#
        return head + (isChat ? #""message":{"role":"assistant",\#(members)}"# : members)
    }

    private func message(_ members: String) -> [UInt8] {
        Array((said(members) + ",\"done\":false}\n").utf8)
    }

    private func last(_ reason: String, _ usage: Usage) -> [UInt8] {
        Array((said(content("")) + "," + end(reason, usage) + "}\n").utf8)
    }

    private func end(_ reason: String, _ usage: Usage) -> String {
        let reason = reason == "tool_calls" ? "stop" : reason
        return #""done":true,"done_reason":"\#(reason)","total_duration":1000000,"#
            + #""prompt_eval_count":\#(usage.prompt),"eval_count":\#(usage.completion)"#
    }

    private func tools(_ calls: [(name: String, arguments: String)]) -> String {
        let items = calls.map { call in
            let arguments = call.arguments.isEmpty ? #"{"city":"Köln"}"# : call.arguments
            return #"{"function":{"name":"\#(call.name)","arguments":\#(arguments)}}"#
        }
        return #""tool_calls":["# + items.joined(separator: ",") + "]"
    }

    func body(_ answer: Answer, usage: Usage) -> [UInt8] {
        var members = content(answer.text)
        if !answer.reasoning.isEmpty { members += #","thinking":"# + quoted(answer.reasoning) }
        if !answer.toolCalls.isEmpty {
            members += "," + tools(answer.toolCalls.map { ($0.name, $0.arguments) })
        }
        let end = end(answer.finish ?? "stop", usage)
        return Array((said(members) + "," + end + "}").utf8)
    }
}
