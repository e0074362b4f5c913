internal import CLinux
internal import Glibc

/// Lets events gather for a moment while there are many. Thousands of streams whose chunks arrive one by one would wake
/// the process for each of them, and falling asleep and waking costs more than a chunk's own work; the same for the web
/// server behind us. What it costs is half a millisecond, and only when the loop is that busy.
struct Gathering: Sendable {
    /// Events a second from which on it pays. Twenty streams do not come near it.
    private static let rate: Int64 = 3000
    /// Milliseconds over which events are counted.
    private static let window: Int64 = 50
    /// Nanoseconds to gather.
    private static let pause = 500_000

    private var events: Int64 = 0
    private var since: Int64 = 0
    private(set) var isWorthwhile = false

    /// Counts the events of a turn that began at `now` (monotonic milliseconds).
    mutating func count(_ more: Int, at now: Int64) {
        events += Int64(more)
        let elapsed = now - since
        guard elapsed >= Self.window else { return }
        isWorthwhile = events * 1000 >= Self.rate * elapsed
        events = 0
        since = now
    }

    /// Sleeps (`nanosleep`).
    func gather() {
        var time = timespec(tv_sec: 0, tv_nsec: Self.pause)
        _ = unsafe nanosleep(&time, nil)
    }
}
