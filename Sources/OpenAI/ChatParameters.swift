import JSON

/// Every named parameter of a chat completion except `model`, `messages` and `tool_choice`.
let chatParameters: [String: ParameterRule] = [
    "audio": .check(checkAudio),
    "frequency_penalty": .number(-2...2),
    "function_call": .check(checkFunctionCall),
    "functions": .check(checkFunctions),
    "logit_bias": .check(checkLogitBias),
    "logprobs": .boolean,
    "max_completion_tokens": .integer(1...(.max)),
    "max_tokens": .integer(1...(.max)),
    "metadata": .check { field throws(APIError) in _ = try Metadata(field) },
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

/// How many alternatives each token has means something only where they are asked for.
func checkTopLogprobs(of root: RequestField) throws(APIError) {
    if root["top_logprobs"] != nil, root.node["logprobs"]?.boolean != true {
        throw .invalidValue("top_logprobs", "it goes only with 'logprobs': true")
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
