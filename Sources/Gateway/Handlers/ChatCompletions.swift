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
        // In a task that the caller's departure does not cancel.
        let outcome = Outcome()
        await spawn {
            do { outcome.result = .success(try await chat.run(identity)) } catch {
                outcome.result = .failure(error)
            }
        }.value
        return try outcome.result.get()
    }

    @LoopActor
    private final class Outcome {
        var result: Result<Answer, any Error> = .failure(CancellationError())
    }
}
