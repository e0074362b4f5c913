internal import EventLoop
internal import OpenAI

/// `/v1/completions`
enum Completions {
    /// `POST`: how a prompt goes on, as JSON or as a stream.
    @LoopActor
    static func create(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        return try await Completion(exchange, worker, identity).run()
    }
}
