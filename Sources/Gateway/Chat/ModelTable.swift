internal import EventLoop
internal import HTTP
internal import HTTPClient
internal import JSON
internal import OpenAI
internal import Providers

/// The models that callers may name: those of the configuration, then those that providers are found to have. Always
/// answered from memory; a provider that is slow or dead delays nobody.
@LoopActor
final class ModelTable {
    /// Milliseconds between two questions to a provider for its models.
    private static let interval = 30_000
    private static let deadlines = Deadlines(connect: 2, firstByte: 5, betweenBytes: 5, total: 10)

    private let configured: [ServedModel]
    private let discovering: [ServedProvider]
    private let client: Client
    private let log: Log
    /// By provider: all that it has, also what nobody sees because another one has it first.
    private var discovered: [String: [ServedModel]] = [:]
    private var listed: [ServedModel] = []
    private var index: [String: ServedModel] = [:]

    init(
        _ configured: [ServedModel], discovering: [ServedProvider], client: Client, log: Log
    ) {
        self.configured = configured
        self.discovering = discovering
        self.client = client
        self.log = log
        reindex()
        for provider in discovering {
            spawn { [self] in await watch(provider) }
        }
    }

    /// The models that this identity may use, in the order of the configuration.
    func list(for identity: Identity) -> [ServedModel] {
        listed.filter { Self.permits($0, identity) }
    }

    /// The model of this id, if this identity may use it.
    func find(_ id: String, for identity: Identity) throws(APIError) -> ServedModel {
        guard let model = index[id] else { throw .modelNotFound(id) }
        guard Self.permits(model, identity) else { throw .modelNotAllowed(id) }
        return model
    }

    /// Whether there is a model of this id; nil while a provider that may have it has not told what it has.
    func knows(_ id: String) -> Bool? {
        if index[id] != nil { return true }
        return discovering.allSatisfy { discovered[$0.name] != nil } ? false : nil
    }

    private static func permits(_ model: ServedModel, _ identity: Identity) -> Bool {
        identity.permits(model: model.id)
            && model.allowedRoles.contains(identity.roleName)
    }

    private func watch(_ provider: ServedProvider) async {
        while true {
            do {
                let names = try await models(of: provider)
                update(provider, names)
            } catch {
                // Silent at the first question: an Ollama that is not there is the usual case.
                if discovered[provider.name] != nil {
                    log.event(
                        "discovery_failed",
                        [
                            Member("provider", .string(provider.name)),
                            Member("detail", .string(fullFace(of: error))),
                        ])
                }
            }
            do { try await Loop.sleep(milliseconds: Self.interval) } catch { return }
        }
    }

    private func models(of provider: ServedProvider) async throws -> [String] {
        guard case .remote(let wire) = provider.endpoint, let question = wire.discovery() else {
            return []
        }
        let transfer = try client.start(
            Call(
                method: question.method, url: provider.baseURL + question.path,
                fields: question.fields, body: question.body, deadlines: Self.deadlines,
                authorities: provider.authorities))
        defer { transfer.close() }
        let head = try await transfer.head()
        let body = try await transfer.body(limit: 1 << 20)
        guard head.status.isSuccess else {
            throw wire.failure(status: head.status, fields: head.fields, body: body)
        }
        return try wire.models(body)
    }

    /// Takes what a provider has now.
    func update(_ provider: ServedProvider, _ names: [String]) {
        discovered[provider.name] = names.map { name in
            ServedModel(
                id: name, name: name, ownedBy: provider.name,
                candidates: [Candidate(provider: provider, model: name)])
        }
        reindex()
    }

    /// A configured id wins over a discovered one, an earlier provider over a later one.
    private func reindex() {
        listed = []
        index = [:]
        for model in configured + discovering.flatMap({ discovered[$0.name] ?? [] })
        where index[model.id] == nil {
            listed.append(model)
            index[model.id] = model
        }
    }
}
