package import HTTP
package import OpenAI

/// Translates between OpenAI's wire and a provider's. Pure: it makes requests and reads replies,
/// and somebody else carries them.
package protocol Provider: Sendable {
    /// The name that the configuration uses.
    static var kind: String { get }
    /// How a stream is cut into the pieces that `StreamReader` takes.
    var framing: Framing { get }
    /// The request for a chat completion. Throws when the wire cannot say what the caller wants.
    func chat(_ call: ChatCall) throws(APIError) -> ProviderRequest
    /// The request for a text completion. Throws when the wire cannot say what the caller wants.
    func text(_ call: TextCall) throws(APIError) -> ProviderRequest
    /// What the caller should know of this call, although it is made; a clause without a stop.
    func warning(of call: ChatCall) -> String?
    /// Reads a reply that is not streamed.
    func completion(_ body: [UInt8], to question: Question) throws(ProviderFailure)
        -> ProviderCompletion
    /// Reads one stream.
    func reader(of question: Question) -> any StreamReader
    /// The request for embeddings. Throws when the wire cannot say what the caller wants.
    func embeddings(_ call: EmbeddingCall) throws(APIError) -> ProviderRequest
    /// Reads the reply to it: one embedding for each text, or a failure.
    func embeddings(_ body: [UInt8], to call: EmbeddingCall) throws(ProviderFailure)
        -> ProviderEmbeddings
    /// What a reply with an error status means.
    func failure(status: Status, fields: Fields, body: [UInt8]) -> ProviderFailure
    /// The request that lists the provider's models; `nil` when there is none.
    func discovery() -> ProviderRequest?
    /// Reads the reply to it.
    func models(_ body: [UInt8]) throws(ProviderFailure) -> [String]
}

extension Provider {
    /// Nothing.
    package func warning(of call: ChatCall) -> String? { nil }
}

/// How a provider frames its stream.
package enum Framing: Sendable {
    /// The data of server-sent events.
    case serverSentEvents
    /// One JSON text a line.
    case lines
}

/// Reads the pieces of one stream: a value with a memory, one a stream.
package protocol StreamReader: Sendable {
    /// Reads the data of an event, or a line. A failure ends the stream.
    mutating func read(_ data: [UInt8]) throws(ProviderFailure) -> [ChatEvent]
    /// The body has ended properly. A failure when the answer had not.
    mutating func end() throws(ProviderFailure) -> [ChatEvent]
}

/// What a provider's stream says, in our words.
package enum ChatEvent: Sendable {
    /// More text of choice 0: the inside of a JSON string literal. Never empty.
    case text(ArraySlice<UInt8>)
    /// Everything else that choices say; also text that carries logprobs or is of another choice.
    case choices([ChoiceDelta])
    /// Fingerprint or service tier, when they become known.
    case origin(Origin)
    /// Figures so far; the last ones count.
    case usage(Usage)
    /// Every choice has its finish reason: from here on the answer is complete.
    case finished
    /// The provider has nothing more to say.
    case done
}

/// A chat completion to be asked for.
package struct ChatCall: Sendable {
    /// What the caller wants.
    package var request: ChatCompletionRequest
    /// The model's name at the provider.
    package var model: String
    /// Ask for a stream, whatever the caller wants for himself.
    package var isStream: Bool
    /// Put in front of the caller's own instructions: our system prompt, retrieved passages.
    package var systemText: String?
    /// Changes to the caller's parameters.
    package var adjustments = Adjustments()

    /// A call without changes.
    package init(
        _ request: ChatCompletionRequest, model: String, isStream: Bool, systemText: String? = nil
    ) {
        self.request = request
        self.model = model
        self.isStream = isStream
        self.systemText = systemText
    }
}

/// What must be known of a request to read its answer.
package struct Question: Sendable {
    /// Which of a provider's wires the answer takes.
    package var form: CompletionForm
    /// How many choices were asked for.
    package var choices: Int
    /// An answer of fewer is no answer. Some providers know no `n`, but each prompt wants its text.
    package var leastChoices: Int
    /// Our id of the completion; ids of calls that the provider does not name are made of it.
    package var completionID: String
    /// Calls of other tools are left out: a provider may not make a client do what it did not offer.
    package var toolNames: Set<String>

    /// The question that a call puts.
    package init(_ call: ChatCall, completionID: String) {
        form = .chat
        choices = call.adjustments.choices(in: call.request)
        leastChoices = 1
        self.completionID = completionID
        toolNames = call.request.toolNames
            .union(call.adjustments.toolNames(in: call.request))
    }
}

/// A request to a provider.
package struct ProviderRequest: Sendable {
    /// Mostly POST.
    package var method: Method
    /// Appended to the configured base URL; begins with a slash.
    package var path: String
    /// With authorization.
    package var fields: Fields
    /// UTF-8 JSON, or empty.
    package var body: [UInt8]
}

/// A provider's whole answer.
package struct ProviderCompletion: Sendable {
    /// In order of their index, made of allowed members only.
    package var choices: [ChatCompletion.Choice]
    /// The provider's figures, if it states any.
    package var usage: Usage?
    /// Fingerprint and service tier.
    package var origin: Origin

    /// A completion as given.
    package init(
        choices: [ChatCompletion.Choice], usage: Usage?, origin: Origin = Origin()
    ) {
        self.choices = choices
        self.usage = usage
        self.origin = origin
    }
}

/// What the configuration says about a provider and its wire needs to know.
package struct ProviderSettings: Sendable {
    /// Sent as a bearer token.
    package var apiKey: String?
    /// The window to ask for, in tokens, where the provider lets the request choose it.
    package var contextLength: Int?

    /// Nothing set.
    package init(apiKey: String? = nil, contextLength: Int? = nil) {
        self.apiKey = apiKey
        self.contextLength = contextLength
    }

    func fields(accept: String = "application/json") -> Fields {
        var fields: Fields = ["Content-Type": "application/json", "Accept": accept]
        if let apiKey { fields["Authorization"] = "Bearer \(apiKey)" }
        return fields
    }
}

/// Where a candidate's answer comes from.
package enum Endpoint: Sendable {
    /// A server that speaks this wire.
    case remote(any Provider)
    /// The knowledge base itself; see `Extractive`.
    case extractive
}

/// The kinds of provider: one line each, and a file beside this one.
package let providerTable: [(kind: String, make: @Sendable (ProviderSettings) -> Endpoint)] = [
    (OpenAICompatible.kind, { .remote(OpenAICompatible(settings: $0)) }),
    (Ollama.kind, { .remote(Ollama(settings: $0)) }),
    (Extractive.kind, { _ in .extractive }),
]
