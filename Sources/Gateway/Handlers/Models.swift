internal import EventLoop
internal import HTTP
internal import OpenAI

/// `/v1/models`: what this caller may name, from memory.
@LoopActor
enum Models {
    /// `GET /v1/models`. No page of a list, so the query means nothing: some clients tell their version or user there.
    static func list(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        let models = worker.models.list(for: identity).map(\.entry)
        return .response(.json(ModelList(models).body()))
    }

    /// `GET /v1/models/{id}`. A model that the caller may not use does not exist for him.
    static func get(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity, let id = exchange.pathValues.first else {
            throw APIError.missingAPIKey
        }
        guard let model = worker.models.list(for: identity).first(where: { $0.id == id }) else {
            throw APIError.modelNotFound(id)
        }
        return .response(.json(model.entry.body()))
    }
}

extension ServedModel {
    fileprivate var entry: Model {
        Model(id: id, created: Self.created, ownedBy: ownedBy, name: name)
    }
}
