internal import EventLoop
internal import OpenAI

/// `/v1/chat/completions`
enum ChatCompletions {
    /// `POST`: an answer, as JSON or as a stream.
    @LoopActor
    static func create(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        let chat = try Chat(exchange, worker, identity)
        guard chat.finishesAlone else { return try await chat.run(identity) }
        return try await undisturbed { try await chat.run(identity) }
    }
}
