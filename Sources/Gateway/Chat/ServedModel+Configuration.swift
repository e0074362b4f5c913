internal import Providers

/// From what the operator wrote to what the corridor uses.
extension ServedModel {
    /// The models of the configuration, and the providers that are asked for theirs.
    static func all(
        of configuration: Configuration
    ) -> (models: [ServedModel], discovering: [ServedProvider]) {
        let providers = configuration.providers.mapValues { $0 }
        var served: [String: ServedProvider] = [:]
        for (name, provider) in providers { served[name] = ServedProvider(name, provider) }
        let models = configuration.models.map { ServedModel($0, served) }
        let discovering = providers.filter(\.value.discoversModels).keys.sorted()
            .compactMap { served[$0] }
        return (models, discovering)
    }

    private init(_ model: Configuration.Model, _ providers: [String: ServedProvider]) {
        id = model.id
        name = model.name
        candidates = model.candidates.compactMap { candidate in
            providers[candidate.provider].map { Candidate(provider: $0, model: candidate.model) }
        }
        ownedBy = "archway"
        systemPrompt = model.systemPrompt
        adjustments = model.parameters
        validates = model.validates
        retrieval = model.retrieval
        finishesAlone = model.onDisconnect == .finish
        taskModel = model.taskModel
        allowedRoles = model.allowedRoles
    }
}

extension ServedProvider {
    convenience init(_ name: String, _ provider: Configuration.Provider) {
        let settings = ProviderSettings(
            apiKey: provider.apiKey?.exposed, contextLength: provider.contextLength)
        let maker = providerTable.first { $0.kind == provider.kind.rawValue }
        self.init(
            name: name, endpoint: maker?.make(settings) ?? .extractive, baseURL: provider.baseURL,
            deadlines: provider.deadlines)
    }
}
