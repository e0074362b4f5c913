/// The only place where a task waits. One task may wait at a gate; somebody else on the loop opens it.
///
/// After `pass` anything may have changed: the caller tests its condition again, in a `while` around the gate.
@LoopActor
@safe package final class Gate {
    private var waiter: UnsafeContinuation<Void, any Error>?
    private var isOpen = false

    package nonisolated init() {}

    /// Returns when the gate is opened, and closes it behind the task. A gate that was opened before lets one task
    /// pass at once. Throws `CancellationError` when the task is, or becomes, cancelled.
    package func pass() async throws {
        try Task.checkCancellation()
        if isOpen {
            isOpen = false
            return
        }
        assert(unsafe waiter == nil, "two tasks at one gate")
        try await withTaskCancellationHandler {
            try unsafe await withUnsafeThrowingContinuation {
                (continuation: UnsafeContinuation<Void, any Error>) in
                // Another thread may have cancelled the task before the handler was in force.
                if Task.isCancelled {
                    unsafe continuation.resume(throwing: CancellationError())
                } else {
                    unsafe waiter = continuation
                }
            }
        } onCancel: {
            if LoopExecutor.shared.isOnLoop {
                assumeOnLoop { interrupt() }
            } else {
                spawn { self.interrupt() }
            }
        }
    }

    /// Lets the waiting task pass, or the next one that comes.
    package func open() {
        guard let waiter = unsafe waiter else {
            isOpen = true
            return
        }
        unsafe self.waiter = nil
        unsafe waiter.resume()
    }

    private func interrupt() {
        guard let waiter = unsafe waiter else { return }
        unsafe self.waiter = nil
        unsafe waiter.resume(throwing: CancellationError())
    }
}
