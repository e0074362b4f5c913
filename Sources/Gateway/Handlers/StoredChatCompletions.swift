internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import Store

/// Chat completions that were asked to be stored: `/v1/chat/completions` and what is below it. Each belongs to a user;
/// to everybody else there is none.
@LoopActor
enum StoredChatCompletions {
    /// `GET`: after, limit, order, model, metadata.
    static func list(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let owner = try owner(exchange)
        let query = try ListQuery(exchange.request, more: ["order", "model", "metadata"])
        let filter = CompletionFilter(
            model: query["model"], metadata: query.metadata?.plain.encoded())
        let (found, hasMore) = try await StoredCompletions.list(
            owner: owner, Page(query).slice, filter, in: worker.pool)
        let shown = found.map { (id: $0.id, value: Value.verbatim($0.reply)) }
        return .response(Page.response(shown, hasMore: hasMore))
    }

    /// `GET …/{id}`
    static func get(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        .response(.json(try await find(exchange, worker).reply))
    }

    /// `POST …/{id}`: puts other metadata in place of what there is. Nothing else can be changed.
    static func change(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let metadata = try RequestBody(exchange.request, members: ["metadata"]).metadata()
        var completion = try await find(exchange, worker)
        guard let reply = ChatCompletion.body(completion.reply, with: metadata) else {
            throw APIError.internalError
        }
        completion.reply = reply
        let isThere = try await StoredCompletions.change(
            completion, metadata: metadata.plain.encoded(), owner: owner(exchange), in: worker.pool)
        guard isThere else { throw APIError.notFound }
        return .response(.json(reply))
    }

    /// `DELETE …/{id}`
    static func delete(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let id = exchange.pathValues.first ?? ""
        guard try await StoredCompletions.delete(id, owner: owner(exchange), in: worker.pool) else {
            throw APIError.notFound
        }
        return .response(
            .json(["object": "chat.completion.deleted", "id": .string(id), "deleted": true]))
    }

    /// `GET …/{id}/messages`: what the request said. after, limit, order.
    static func messages(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let page = try Page(ListQuery(exchange.request, more: ["order"]))
        let id = exchange.pathValues.first ?? ""
        guard
            let bytes = try await StoredCompletions.messages(
                of: id, owner: owner(exchange), in: worker.pool)
        else { throw APIError.notFound }
        guard let messages = StoredMessage.list(bytes, of: id) else { throw APIError.internalError }
        let (shown, hasMore) = try page.cut(messages) { $0.id }
        // In this list, unlike the others, the schema wants texts for the ids of an empty page too.
        return .response(
            Page.response(shown.map { ($0.id, $0.value) }, hasMore: hasMore, noID: ""))
    }

    private static func find(_ exchange: Exchange, _ worker: Worker) async throws
        -> StoredCompletion
    {
        guard let id = exchange.pathValues.first,
            let completion = try await StoredCompletions.find(
                id, owner: owner(exchange), in: worker.pool)
        else { throw APIError.notFound }
        return completion
    }

    private static func owner(_ exchange: Exchange) throws(APIError) -> String {
        try exchange.signedInUser.id
    }
}
