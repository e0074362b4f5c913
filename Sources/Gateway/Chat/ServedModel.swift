internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import Providers

/// A provider as the configuration names it. Shared by all that speak of it.
final class ServedProvider: Sendable {
    let name: String
    let endpoint: Endpoint
    /// Without a slash at its end. Empty for an embedded provider.
    let baseURL: String
    let deadlines: Deadlines
    /// A file of authorities that are trusted besides the system's.
    let authorities: String?
    let admission: Admission

    init(
        name: String, endpoint: Endpoint, baseURL: String, deadlines: Deadlines,
        authorities: String? = nil, admission: Admission = Admission()
    ) {
        self.name = name
        self.endpoint = endpoint
        self.baseURL = baseURL
        self.deadlines = deadlines
        self.authorities = authorities
        self.admission = admission
    }

    /// It has no server, and no language model.
    var isEmbedded: Bool { if case .extractive = endpoint { true } else { false } }

    /// The server's wire. Throws for an embedded provider, which has none.
    var remote: any Provider {
        get throws(ProviderFailure) {
            if case .remote(let provider) = endpoint { return provider }
            throw ProviderFailure(
                .providerBadResponse, isRetriable: false, detail: "an embedded provider")
        }
    }
}

/// A way to answer for a model.
struct Candidate: Sendable {
    let provider: ServedProvider
    /// The model's name at the provider.
    let model: String
    /// How often it is the first one to be asked, beside the others'. See `drawn`.
    var weight: Int?

    /// For the reply's head: provider and model, the latter percent-encoded unless it is plain ASCII.
    var label: String {
        if model.isEmpty { return provider.name }
        let isPlain = model.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        return "\(provider.name)/\(isPlain ? model : PercentEncoding.encode(model))"
    }
}

/// A model that callers may name.
struct ServedModel: Sendable {
    let id: String
    /// For people.
    let name: String
    let ownedBy: String
    /// As configured.
    let candidates: [Candidate]
    var systemPrompt: String?
    /// Changes to the callers' parameters, on every call of a provider.
    var adjustments = Adjustments()
    /// Answers in JSON are checked before anybody sees them.
    var validates = false
    /// Where answers find their evidence.
    var retrieval: Configuration.Retrieval?
    /// Go on with the provider although the caller has left.
    var finishesAlone = false
    /// Serves side requests instead of this one.
    var taskModel: String?
    /// Roles that may use it.
    var allowedRoles = Selection.all

    /// May answer without a model, by quoting.
    var quotes: Bool {
        candidates.contains(where: \.provider.isEmbedded)
    }

    /// Unix seconds that every model shows as `created`: nobody knows better, and it must not differ between workers.
    static let created = 1_767_225_600
}
