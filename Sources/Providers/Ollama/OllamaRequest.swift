import JSON
import OpenAI

/// A chat completion in the words of `/api/chat`. What Ollama cannot do is refused, so that nobody
/// believes it was done.
struct OllamaRequest {
    private let call: ChatCall
    private let request: ChatCompletionRequest
    private let contextLength: Int?

    init(_ call: ChatCall, contextLength: Int?) throws(APIError) {
        self.call = call
        self.contextLength = contextLength
        request = try call.adjustments.applied(to: call.request)
        try Self.refuseImpossible(request)
    }

    func body() throws(APIError) -> [UInt8] {
        var members = [
            Member("model", .string(call.model)),
            Member("messages", .array(try messages())),
            Member("stream", .boolean(call.isStream)),
        ]
        if let tools = request["tools"], request["tool_choice"]?.string != "none" {
            members.append(Member("tools", .verbatim(Array(tools.bytes))))
        }
        if let format { members.append(Member("format", format)) }
        if let thinking { members.append(Member("think", thinking)) }
        let parameters = OllamaParameters(
            request.document.root, contextLength: contextLength,
            maximumTokens: request.maximumTokens)
        members.append(Member("options", .object(parameters.options)))
        members += parameters.unknown(besides: handledNames)
        return Value.object(members).encoded()
    }

    private static func refuseImpossible(_ request: ChatCompletionRequest) throws(APIError) {
        func refuse(_ parameter: String, _ why: String) throws(APIError) {
            throw .invalidValue(parameter, "this model \(why)")
        }
        if request.choices > 1 { try refuse("n", "gives one choice at a time") }
        if let bias = request["logit_bias"], bias.count > 0 {
            try refuse("logit_bias", "cannot weigh tokens; leave it out")
        }
        if let choice = request["tool_choice"], !["none", "auto"].contains(choice.string ?? "") {
            try refuse("tool_choice", "takes only 'none' and 'auto'")
        }
        if request["functions"] != nil { try refuse("functions", "takes 'tools' instead") }
        if request["audio"] != nil { try refuse("audio", "does not speak") }
        if request["web_search_options"] != nil {
            try refuse("web_search_options", "does not search the web")
        }
        let tools = request["tools"].map { Array($0.elements) } ?? []
        if let index = tools.firstIndex(where: { $0["type"]?.string != "function" }) {
            try refuse("tools[\(index)].type", "takes only tools of type 'function'")
        }
    }

    // MARK: - Parameters

    private var format: Value? {
        guard let format = request["response_format"] else { return nil }
        switch format["type"]?.string {
        case "json_object": return "json"
        case "json_schema":
            return format["json_schema"]?["schema"].map { .verbatim(Array($0.bytes)) } ?? "json"
        default: return nil
        }
    }

    private var thinking: Value? {
        switch request["reasoning_effort"]?.string {
        case nil: nil
        case "none": false
        case "minimal", "low": "low"
        case "xhigh", "max", "high": "high"
        case "medium": "medium"
        default: true
        }
    }

    // MARK: - Messages

    private func messages() throws(APIError) -> [Value] {
        var result: [Value] = []
        var names: [String: String] = [:]
        var systemText = call.systemText ?? ""
        for (index, message) in request.messages.enumerated() {
            for call in message.toolCalls { names[call.id] = call.name }
            var text = message.text
            if index == 0, message.role.isInstruction, !systemText.isEmpty {
                text = systemText + "\n\n" + text
                systemText = ""
            }
            result.append(
                .object(try members(of: message, text, at: "messages[\(index)]", names)))
        }
        if !systemText.isEmpty {
            result.insert(["role": "system", "content": .string(systemText)], at: 0)
        }
        return result
    }

    private func members(
        of message: Message, _ text: String, at path: String, _ names: [String: String]
    ) throws(APIError) -> [Member] {
        let role =
            switch message.role {
            case .system, .developer: "system"
            case .user: "user"
            case .assistant: "assistant"
            case .tool, .function: "tool"
            }
        var members = [Member("role", .string(role)), Member("content", .string(text))]
        let images = try images(of: message, at: path)
        if !images.isEmpty { members.append(Member("images", .array(images))) }
        if message.role == .assistant {
            let thinking = message.node["reasoning_content"] ?? message.node["reasoning"]
            if let thinking = thinking?.string {
                members.append(Member("thinking", .string(thinking)))
            }
            let calls = try message.toolCalls.enumerated().map { index, call throws(APIError) in
                try value(of: call, at: "\(path).tool_calls[\(index)]")
            }
            if !calls.isEmpty { members.append(Member("tool_calls", .array(calls))) }
        }
        if role == "tool", let name = message.toolCallID.flatMap({ names[$0] }) ?? message.name {
            members.append(Member("tool_name", .string(name)))
        }
        return members
    }

    private func value(of call: ToolCall, at path: String) throws(APIError) -> Value {
        let text = call.arguments.isEmpty ? "{}" : call.arguments
        let limits = Limits(refusesDuplicateKeys: false)
        guard let arguments = try? Document(Array(text.utf8), limits: limits).root,
            arguments.kind == .object
        else {
            throw .invalidValue("\(path).function.arguments", "this model takes only an object")
        }
        return [
            "function": [
                "name": .string(call.name), "arguments": .verbatim(Array(arguments.bytes)),
            ]
        ]
    }

    /// Pictures as bare base64: Ollama fetches nothing, and neither do we.
    private func images(of message: Message, at path: String) throws(APIError) -> [Value] {
        var images: [Value] = []
        for (index, part) in message.parts.enumerated() {
            let place = "\(path).content[\(index)]"
            switch part["type"]?.string {
            case "image_url":
                let url = part["image_url"]?["url"]?.string ?? ""
                guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ","),
                    url[..<comma].hasSuffix(";base64")
                else {
                    throw .invalidValue(
                        "\(place).image_url.url",
                        "this model takes pictures only as 'data:image/…;base64,…'")
                }
                images.append(.string(String(url[comma...].dropFirst())))
            case "input_audio", "file":
                throw .invalidValue("\(place).type", "this model takes only text and pictures")
            default: break
            }
        }
        return images
    }
}

/// Members that are translated above, and those that Ollama has no use for and nobody misses.
private let handledNames: Set<String> = [
    "max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model",
    "moderation",
    "n", "parallel_tool_calls", "prediction", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier",
    "service_tier", "store", "stream", "stream_options", "tool_choice", "tools", "user",
    "verbosity",
    "function_call", "functions", "logit_bias", "audio", "options",
]
