internal import EventLoop
internal import HTTPClient
internal import Providers

/// From what the operator wrote to what the corridor uses.
extension ServedModel {
    /// The models of the configuration, and the providers that are asked for theirs. Without a seat at the
    /// board no provider has a circuit breaker or a limit.
    @LoopActor
    static func all(
        of configuration: Configuration, _ shared: WorkerSeat?, _ log: Log
    ) -> (models: [ServedModel], discovering: [ServedProvider]) {
        let providers = configuration.providers.mapValues { $0 }
        var served: [String: ServedProvider] = [:]
        for (name, provider) in providers {
            served[name] = ServedProvider(name, provider, Admission(name, provider, shared, log))
        }
        let models = configuration.models.map { ServedModel($0, served) }
        let discovering = providers.filter(\.value.discoversModels).keys.sorted()
            .compactMap { served[$0] }
        return (models, discovering)
    }

    private init(_ model: Configuration.Model, _ providers: [String: ServedProvider]) {
        id = model.id
        name = model.name
        candidates = model.candidates.compactMap { candidate in
            providers[candidate.provider].map {
                Candidate(provider: $0, model: candidate.model, weight: candidate.weight)
            }
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
    fileprivate convenience init(
        _ name: String, _ provider: Configuration.Provider, _ admission: Admission
    ) {
        let settings = ProviderSettings(
            apiKey: provider.apiKey?.exposed, contextLength: provider.contextLength)
        let maker = providerTable.first { $0.kind == provider.kind.rawValue }
        self.init(
            name: name, endpoint: maker?.make(settings) ?? .extractive, baseURL: provider.baseURL,
            deadlines: provider.deadlines, authorities: provider.authorities,
            admission: admission)
    }
}

extension Admission {
    /// What a provider is configured to bear. Another address is another provider.
    fileprivate convenience init(
        _ name: String, _ provider: Configuration.Provider, _ shared: WorkerSeat?, _ log: Log
    ) {
        guard provider.kind != .extractive, let shared,
            let row = shared.board.row(of: "\(name)\n\(provider.baseURL)")
        else {
            self.init()
            return
        }
        let rules = Circuit.Rules(
            failures: provider.breaker.failures, pause: Int(provider.breaker.pause * 1000),
            // Its first byte is what a probe waits for.
            patience: Int(provider.deadlines.firstByte * 1000) + 1000)
        self.init(
            calls: RunningCalls(limit: provider.maxConcurrent, in: row, column: shared.column),
            breaker: rules.failures > 0 ? CircuitBreaker(name, rules, in: row, log) : nil)
    }
}
