internal import EventLoop

/// Runs `body` to its end, in a task of its own that the caller's departure does not cancel.
@LoopActor
func undisturbed<Value: Sendable>(
    _ body: @escaping @LoopActor @Sendable () async throws -> Value
) async throws -> Value {
    let outcome = Outcome<Value>()
    await spawn {
        do { outcome.result = .success(try await body()) } catch {
            outcome.result = .failure(error)
        }
    }.value
    return try outcome.result.get()
}

@LoopActor
private final class Outcome<Value: Sendable> {
    var result: Result<Value, any Error> = .failure(CancellationError())
}
