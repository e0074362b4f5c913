internal import EventLoop
internal import System

/// Gives the system back what a burst of requests has left behind: malloc keeps for the next one what is free between
/// what is in use. That costs a look at all of it, so it happens when there is nothing else to do, and not often.
@LoopActor
final class IdleMemory {
    /// Milliseconds without a request.
    private static let rest: Int64 = 250
    /// Milliseconds from one time to the next.
    private static let pause: Int64 = 10_000

    private var last: Int64?
    private var isWaiting = false

    nonisolated init() {}

    /// The last request has ended. `isIdle` tells whether there still is none.
    func rested(isIdle: @escaping @LoopActor () -> Bool) {
        guard !isWaiting else { return }
        isWaiting = true
        let wait = max(Self.rest, last.map { $0 + Self.pause - Loop.now } ?? 0)
        Loop.after(milliseconds: Int(wait)) { [self] in
            isWaiting = false
            guard isIdle() else { return }
            last = Loop.now
            Host.returnFreeMemory()
        }
    }
}
