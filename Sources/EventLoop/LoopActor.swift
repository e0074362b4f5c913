/// The one thread of a worker. Whatever does I/O, or waits for it, is isolated to this actor, so the compiler checks
/// that nothing of a request is touched from elsewhere, and no lock is needed.
@globalActor
package actor LoopActor {
    package static let shared = LoopActor()

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe LoopExecutor.shared.asUnownedSerialExecutor()
    }
}

/// Starts a task on the loop. With `undisturbed` the only maker of tasks in the program: a task made otherwise has no
/// preferred executor, and its first resumption would start a pool of threads.
@discardableResult
package func spawn(
    _ body: @escaping @LoopActor @Sendable () async -> Void
) -> Task<Void, Never> {
    Task(executorPreference: LoopTaskExecutor.shared) { await body() }
}

/// Runs `body` to its end, in a task of its own that the caller's departure does not cancel.
@LoopActor
package func undisturbed<Value: Sendable>(
    _ body: @escaping @LoopActor @Sendable () async throws -> Value
) async throws -> Value {
    try await Task(executorPreference: LoopTaskExecutor.shared) { try await body() }.value
}

/// Runs `body` as the actor would, from code which the compiler does not know to be on the loop: a callback of a C
/// library. Traps on any other thread, which would be a fault of the program and never of a request.
package func assumeOnLoop<Result>(_ body: @LoopActor () throws -> Result) rethrows -> Result {
    LoopExecutor.shared.checkIsolated()
    return try withoutActuallyEscaping(body) { body in
        // The same function, without the isolation that was just established.
        try unsafe unsafeBitCast(body, to: (() throws -> Result).self)()
    }
}
