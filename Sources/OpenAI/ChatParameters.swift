import JSON

/// What a named parameter of a chat completion may be. Members without a rule belong to the
/// provider and are forwarded as they are.
private enum Rule {
    case number(ClosedRange<Double>)
    case integer(ClosedRange<Int>)
    case boolean
    case string
    case object
    case check(@Sendable (RequestField) throws(APIError) -> Void)
}

private let rules: [String: Rule] = [
    "audio": .check(checkAudio),
    "frequency_penalty": .number(-2...2),
    "function_call": .check(checkFunctionCall),
    "functions": .check(checkFunctions),
    "logit_bias": .check(checkLogitBias),
    "logprobs": .boolean,
    "max_completion_tokens": .integer(1...(.max)),
    "max_tokens": .integer(1...(.max)),
    "metadata": .check(checkMetadata),
    "modalities": .check(checkModalities),
    "moderation": .object,
    "n": .integer(1...128),
    "parallel_tool_calls": .boolean,
    "prediction": .check(checkPrediction),
    "presence_penalty": .number(-2...2),
    "prompt_cache_key": .string,
    "prompt_cache_options": .object,
    "prompt_cache_retention": .string,
    "reasoning_effort": .string,
    "response_format": .check(checkResponseFormat),
    "safety_identifier": .string,
    "seed": .integer((.min)...(.max)),
    "service_tier": .string,
    "stop": .check(checkStop),
    "store": .boolean,
    "stream": .boolean,
    "stream_options": .check(checkStreamOptions),
    "temperature": .number(0...2),
    "tools": .check(checkTools),
    "top_logprobs": .integer(0...20),
    "top_p": .number(0...1),
    "user": .string,
    "verbosity": .string,
    "web_search_options": .object,
]

/// Types and ranges of every named parameter except `model`, `messages` and `tool_choice`.
func checkParameters(of root: RequestField) throws(APIError) {
    for (key, field) in try root.members() {
        guard let rule = rules[key], !field.node.isNull else { continue }
        switch rule {
        case .number(let range): try field.number(in: range)
        case .integer(let range): try field.integer(in: range)
        case .boolean: _ = try field.boolean()
        case .string: try field.requireString()
        case .object: try field.requireObject()
        case .check(let check): try check(field)
        }
    }
    if root["stream_options"] != nil, root.node["stream"]?.boolean != true {
        throw .invalidValue("stream_options", "it goes only with 'stream': true")
    }
}

private func checkStop(_ stop: RequestField) throws(APIError) {
    switch stop.node.kind {
    case .string: return
    case .array: for text in try stop.elements(atMost: 4) { try text.requireString() }
    default: throw .invalidType("stop", "a string or an array of at most 4 strings")
    }
}

private func checkLogitBias(_ bias: RequestField) throws(APIError) {
    for (_, value) in try bias.members() { try value.number(in: -100...100) }
}

private func checkStreamOptions(_ options: RequestField) throws(APIError) {
    try options.requireObject()
    _ = try options["include_usage"]?.boolean()
    _ = try options["include_obfuscation"]?.boolean()
}

private func checkMetadata(_ metadata: RequestField) throws(APIError) {
    let members = try metadata.members()
    guard members.count <= 16 else {
        throw .invalidValue("metadata", "it may hold at most 16 members")
    }
    for (key, value) in members {
        guard key.unicodeScalars.count <= 64 else {
            throw .invalidValue("metadata", "a key may have at most 64 characters")
        }
        guard try value.string().unicodeScalars.count <= 512 else {
            throw .invalidValue("metadata.\(key)", "it may have at most 512 characters")
        }
    }
}

private func checkModalities(_ modalities: RequestField) throws(APIError) {
    for modality in try modalities.elements() { _ = try modality.word("text", "audio") }
}

private func checkAudio(_ audio: RequestField) throws(APIError) {
    try audio.requireObject()
    try audio.required("format").requireString()
    _ = try audio.required("voice")
}

private func checkPrediction(_ prediction: RequestField) throws(APIError) {
    try prediction.requireObject()
    _ = try prediction.required("type").word("content")
    try checkContent(prediction.required("content"), parts: [.text])
}

private func checkResponseFormat(_ format: RequestField) throws(APIError) {
    try format.requireObject()
    guard try format.required("type").word("text", "json_object", "json_schema") == "json_schema"
    else { return }
    let schema = try format.required("json_schema")
    try schema.requireObject()
    try schema.required("name").requireString()
    try schema["schema"]?.requireObject()
    _ = try schema["strict"]?.boolean()
}
