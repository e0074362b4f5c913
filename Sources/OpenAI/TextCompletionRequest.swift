package import JSON

private let parameters: [String: ParameterRule] = [
    "best_of": .integer(0...20),
    "echo": .boolean,
    "frequency_penalty": .number(-2...2),
    "logit_bias": .check(checkLogitBias),
    "logprobs": .integer(0...5),
    "max_tokens": .integer(0...(.max)),
    "n": .integer(1...128),
    "presence_penalty": .number(-2...2),
    "seed": .integer((.min)...(.max)),
    "stop": .check(checkStop),
    "stream": .boolean,
    "stream_options": .check(checkStreamOptions),
    "suffix": .string,
    "temperature": .number(0...2),
    "top_p": .number(0...1),
    "user": .string,
]

/// `POST /v1/completions`, the older wire: a prompt to be continued. A typed view over the caller's untouched bytes;
/// whatever has no name here is forwarded as it stands.
package struct TextCompletionRequest: CompletionRequest {
    /// The body as it came.
    package let document: Document
    /// The model's id as the caller wrote it.
    package let model: String
    /// What is to be continued; `nil` where the caller wrote `null`, which leaves it to the model.
    package let prompt: TextInput?
    /// `stream`: the reply is a stream of events.
    package let isStream: Bool
    /// `stream_options.include_usage`: the caller wants the usage chunk.
    package let includesUsage: Bool
    /// Continuations of each prompt: `n`, 1 to 128.
    package let choicesPerPrompt: Int
    /// `max_tokens`; `nil` when the model decides.
    package let maximumTokens: Int?

    /// Parses and validates. Throws with the path of the first member that is wrong.
    package init(_ body: [UInt8]) throws(APIError) {
        document = try Document(requestBody: body)
        let root = RequestField(node: document.root, path: "")
        model = try root.modelName()
        guard root.node["prompt"] != nil else { throw .missingParameter("prompt") }
        prompt = try root["prompt"].map { field throws(APIError) in try TextInput(field) }
        try checkParameters(of: root, by: parameters)
        isStream = root["stream"]?.node.boolean ?? false
        includesUsage = root["stream_options"]?["include_usage"]?.node.boolean ?? false
        choicesPerPrompt = root["n"]?.node.integer ?? 1
        maximumTokens = root["max_tokens"]?.node.integer
    }

    /// A parameter as the caller wrote it; `nil` when it is absent or `null`.
    package subscript(_ parameter: String) -> Node? {
        guard let node = document.root[parameter], !node.isNull else { return nil }
        return node
    }

    /// How many prompts are to be continued, from 1.
    package var prompts: Int { prompt?.count ?? 1 }

    /// `n` for each prompt.
    package var choices: Int { prompts * choicesPerPrompt }

    /// About how many characters the model has to read.
    package var characterCount: Int {
        (prompt?.characterCount ?? 0) + (self["suffix"]?.range.count ?? 0)
    }
}
