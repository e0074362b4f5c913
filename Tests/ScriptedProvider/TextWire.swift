import JSON

/// OpenAI's text completions. Every prompt is answered alike, as often as was asked.
struct TextWire: Wire {
    let streamType = "text/event-stream"
    let opening: [UInt8] = []
    private let model: String
    private let choices: Int

    private static let prefix = #"{"id":"cmpl-scripted","object":"text_completion","#

    init(_ root: Node?, model: String) {
        self.model = model
        choices = texts(root?["prompt"]).count * (root?["n"]?.integer ?? 1)
    }

    func bytes(_ step: Step, usage: Usage) -> [UInt8] {
        switch step {
        case .text(let text): each { choice($0, text, finish: nil) }
        case .members(let members): event(#""choices":[],"# + members)
        case .finish(let reason):
            each { choice($0, "", finish: reason) }
                + (usage.isWanted ? event(#""choices":[],"# + counts(usage)) : [])
        case .usage: event(#""choices":[],"# + counts(usage))
        case .done: Array("data: [DONE]\n\n".utf8)
        default: []
        }
    }

    func body(_ answer: Answer, usage: Usage) -> [UInt8] {
        let list = (0..<choices).map { choice($0, answer.text, finish: answer.finish) }
        let members = [
            head, #""choices":[\#(list.joined(separator: ","))]"#, counts(usage),
        ]
        return Array((Self.prefix + (members + answer.members).joined(separator: ",") + "}").utf8)
    }

    private var head: String { #""created":1700000000,"model":\#(quoted(model))"# }

    private func choice(_ index: Int, _ text: String, finish: String?) -> String {
        let reason = finish.map(quoted) ?? "null"
        return #"{"index":\#(index),"text":\#(quoted(text)),"logprobs":null,"evil":1,"#
            + #""finish_reason":\#(reason)}"#
    }

    private func each(_ make: (Int) -> String) -> [UInt8] {
        (0..<choices).flatMap { event(#""choices":[\#(make($0))]"#) }
    }

    private func event(_ members: String) -> [UInt8] {
        Array("data: \(Self.prefix)\(head),\(members)}\n\n".utf8)
    }

    private func counts(_ usage: Usage) -> String {
        #""usage":{"prompt_tokens":\#(usage.prompt),"completion_tokens":\#(usage.completion),"#
            + #""total_tokens":\#(usage.prompt + usage.completion)}"#
    }
}
