import JSON

// Behaviours that depend on more of the request than the model's name.

/// Calls the tools that are offered, as many as told (1), each with a city; once there are results, says them.
func agent(_ prompt: Prompt) -> [Step] {
    let root = try? Document(prompt.body).root
    let messages = root?["messages"]?.elements.map { $0 } ?? []
    let results = messages.reversed().prefix { $0["role"]?.string == "tool" }.reversed()
    guard results.isEmpty else {
        let texts = results.map { Player.text($0) }
        return words("The tools say: " + texts.joined(separator: ", ")) + ending
    }
    let names = root?["tools"]?.elements.compactMap { $0["function"]?["name"]?.string } ?? []
    guard !names.isEmpty else { return words(prompt.question) + ending }
    let calls = names.prefix(prompt.number(0, or: 1)).enumerated().flatMap { index, name in
        [
            Step.tool(
                index: index, id: "call_\(prompt.earlier)_\(index)", name: name, arguments: ""),
            .tool(index: index, id: nil, name: nil, arguments: #"{"city":"#),
            .tool(index: index, id: nil, name: nil, arguments: #""Köln"}"#),
        ]
    }
    return calls + stopping("tool_calls")
}

/// As many choices as `n` says, `choice 0` and so on, each token with its probability if `logprobs` asks for it.
func choices(_ prompt: Prompt) -> [Step] {
    let root = try? Document(prompt.body).root
    let count = root?["n"]?.integer ?? 1
    let probabilities: (String) -> String = { text in
        guard root?["logprobs"]?.boolean == true else { return "null" }
        let token = #""token":\#(quoted(text)),"logprob":-0.25,"bytes":\#(Array(text.utf8))"#
        return #"{"content":[{\#(token),"top_logprobs":[{\#(token)}]}],"refusal":null}"#
    }
    let isStream = root?["stream"]?.boolean ?? false
    let members = (0..<count).map { index in
        let text = "choice \(index)"
        let speech = isStream ? "delta" : "message"
        return #"{"index":\#(index),"\#(speech)":{"role":"assistant","content":\#(quoted(text))},"#
            + #""logprobs":\#(probabilities(text)),"finish_reason":"stop"}"#
    }
    let head = #"{"id":"chatcmpl-scripted","created":1700000000,"model":\#(quoted(prompt.model)),"#
    guard isStream else {
        return [
            .raw(
                head
                    + #""object":"chat.completion","choices":[\#(members.joined(separator: ","))]}"#
            )
        ]
    }
    let event = head + #""object":"chat.completion.chunk","choices":["#
    return members.map { .raw("data: \(event)\($0)]}\n\n") } + [.usage, .done, .end]
}
