import JSON

/// The part types that a content may hold.
enum PartKind: String { case text, refusal, image_url, input_audio, file }

/// Checks `messages` and gives the typed views.
func checkMessages(of root: RequestField) throws(APIError) -> [Message] {
    var calls = OpenCalls()
    var messages: [Message] = []
    for field in try root.required("messages").elements(atLeast: 1) {
        let message = try checkMessage(field)
        try calls.follow(message, field)
        messages.append(message)
    }
    return messages
}

private func checkMessage(_ field: RequestField) throws(APIError) -> Message {
    try field.requireObject()
    let word = try field.required("role")
    guard let role = Role(rawValue: try word.string()) else {
        throw .invalidValue(
            word.path, "it must be 'system', 'developer', 'user', 'assistant' or 'tool'")
    }
    try field["name"]?.requireString()
    switch role {
    case .system, .developer:
        try checkContent(field.required("content"), parts: [.text])
    case .user:
        try checkContent(
            field.required("content"), parts: [.text, .image_url, .input_audio, .file])
    case .assistant:
        try checkAssistant(field)
    case .tool:
        try checkContent(field.required("content"), parts: [.text])
        try field.required("tool_call_id").requireString()
    case .function:
        try field.required("name").requireString()
        try field["content"]?.requireString()
    }
    return Message(role: role, node: field.node)
}

private func checkAssistant(_ field: RequestField) throws(APIError) {
    if let content = field["content"] { try checkContent(content, parts: [.text, .refusal]) }
    try field["refusal"]?.requireString()
    if let call = field["function_call"] {
        try call.requireObject()
        try call.required("name").requireString()
        try checkArguments(call.required("arguments"))
    }
    if let audio = field["audio"] {
        try audio.requireObject()
        try audio.required("id").requireString()
    }
    let calls = try checkToolCalls(field)
    let standIns = ["refusal", "function_call", "audio", "reasoning_content", "reasoning"]
    guard field["content"] != nil || calls > 0 || standIns.contains(where: { field[$0] != nil })
    else { throw .missingParameter(field.path(to: "content")) }
}

private func checkToolCalls(_ message: RequestField) throws(APIError) -> Int {
    guard let calls = try message["tool_calls"]?.elements() else { return 0 }
    var seen: Set<String> = []
    for call in calls {
        try call.requireObject()
        let id = try call.required("id")
        guard seen.insert(try id.string()).inserted else {
            throw .invalidValue(id.path, "another call of this message has the same id")
        }
        switch try call.required("type").word("function", "custom") {
        case "function":
            let function = try call.required("function")
            try function.requireObject()
            try function.required("name").requireString()
            try checkArguments(function.required("arguments"))
        default:
            let custom = try call.required("custom")
            try custom.requireObject()
            try custom.required("name").requireString()
            try custom.required("input").requireString()
        }
    }
    return calls.count
}

/// Arguments are JSON in a string. An empty string is what models send for "no arguments", and
/// clients repeat it, so it is let through.
private func checkArguments(_ arguments: RequestField) throws(APIError) {
    let text = try arguments.string()
    guard !text.isEmpty else { return }
    var limits = Limits()
    limits.refusesDuplicateKeys = false
    do {
        _ = try Document(Array(text.utf8), limits: limits)
    } catch {
        throw .invalidValue(arguments.path, "it is not valid JSON: \(error)")
    }
}

/// A content: a string, or a list of parts of the given kinds.
func checkContent(_ content: RequestField, parts allowed: [PartKind]) throws(APIError) {
    if content.node.kind == .string { return }
    guard content.node.kind == .array else {
        throw .invalidType(content.path, "a string or an array of parts")
    }
    for part in try content.elements(atLeast: 1) {
        try part.requireObject()
        let type = try part.required("type")
        guard let kind = PartKind(rawValue: try type.string()), allowed.contains(kind) else {
            let list = allowed.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw .invalidValue(type.path, "here a part may be \(list)")
        }
        try checkPart(part, kind)
    }
}

private func checkPart(_ part: RequestField, _ kind: PartKind) throws(APIError) {
    let value = try part.required(kind.rawValue)
    switch kind {
    case .text, .refusal:
        try value.requireString()
    case .image_url:
        try value.requireObject()
        let url = try value.required("url")
        guard hasImageScheme(url.node) else {
            try url.requireString()
            throw .invalidValue(url.path, "it must begin with 'https://', 'http://' or 'data:'")
        }
        try value["detail"]?.requireString()
    case .input_audio:
        try value.requireObject()
        try value.required("data").requireString()
        _ = try value.required("format").word("wav", "mp3")
    case .file:
        try value.requireObject()
        for key in ["file_id", "file_data", "filename"] { try value[key]?.requireString() }
    }
}

/// Looks at the first bytes as they are written: a data URL may have many megabytes. An escaped
/// `\/` is allowed for by decoding only short spellings.
private func hasImageScheme(_ url: Node) -> Bool {
    guard url.kind == .string else { return false }
    let start = url.bytes.count <= 4096 ? url.string ?? "" : asciiStart(of: url.bytes)
    let lower = start.prefix(8).lowercased()
    return ["data:", "http://", "https://"].contains { lower.hasPrefix($0) }
}

private func asciiStart(of literal: ArraySlice<UInt8>) -> String {
    String(
        decoding: literal.dropFirst().prefix(24).filter { $0 != UInt8(ascii: "\\") }, as: UTF8.self)
}

/// The calls of the assistant turn that is being answered: a `tool` message must answer one of
/// them, once, before anybody else speaks.
private struct OpenCalls {
    private var waiting: Set<String> = []

    mutating func follow(_ message: Message, _ field: RequestField) throws(APIError) {
        guard message.role == .tool else {
            waiting = Set(message.toolCalls.map(\.id))
            return
        }
        guard let id = message.toolCallID, waiting.remove(id) != nil else {
            throw .invalidValue(
                field.path(to: "tool_call_id"),
                "it must repeat the id of an unanswered call of the assistant message before it")
        }
    }
}
