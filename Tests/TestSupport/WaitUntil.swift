import EventLoop

/// Waits until `condition` holds, at most so many seconds; returns whether it did. The loop goes on.
@LoopActor
package func waitUntil(
    seconds: Double = 10, _ condition: @LoopActor () async throws -> Bool
) async rethrows -> Bool {
    let end = Loop.now + Int64(seconds * 1000)
    while true {
        if try await condition() { return true }
        if Loop.now >= end { return false }
        try? await Loop.sleep(milliseconds: 10)
    }
}
