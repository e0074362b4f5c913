extension Loop {
    /// What `body` returns, or nil when it has not returned after that many milliseconds. It runs in a task of its own,
    /// which is cancelled then, or when the caller is, and ends in its own time.
    package static func within<Result: Sendable>(
        milliseconds: Int, _ body: @escaping @LoopActor @Sendable () async throws -> Result
    ) async throws -> Result? {
        let outcome = Bounded<Result>()
        let task = spawn {
            do { outcome.result = .success(try await body()) } catch {
                outcome.result = .failure(error)
            }
            outcome.gate.open()
        }
        let limit = after(milliseconds: milliseconds) { outcome.gate.open() }
        defer {
            limit.cancel()
            if outcome.result == nil { task.cancel() }
        }
        try await outcome.gate.pass()
        return try outcome.result?.get()
    }
}

/// Carries the result of `Loop.within`'s body to its caller.
@LoopActor
private final class Bounded<Result: Sendable> {
    let gate = Gate()
    var result: Swift.Result<Result, any Error>?
}
