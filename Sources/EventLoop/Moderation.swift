internal import CLinux
internal import Glibc

/// Moderates wake-ups as network cards moderate interrupts. Thousands of streams whose chunks arrive one by one would
/// wake this process, and the web server behind it, for each of them, which costs as much as a chunk's own work. So a
/// loop that sends thousands of pieces a second pauses before it asks for events. A chunk is late by half of the
/// pause on average, and only then.
struct Moderation: Sendable {
    /// Pieces a second from which on a pause pays. Fifty streams of a fast model do not come near it.
    static let threshold: Int64 = 3000
    /// Milliseconds over which pieces are counted.
    static let window: Int64 = 50
    /// Nanoseconds.
    private static let pause = 1_000_000

    private var pieces: Int64 = 0
    private var since: Int64 = 0
    private var isWorthwhile = false

    /// Whether a loop that is about to wait at `now` (monotonic milliseconds) should pause.
    func pays(at now: Int64) -> Bool {
        isWorthwhile && now - since <= 2 * Self.window
    }

    /// Counts the pieces of a turn that ends at `now`.
    mutating func count(_ more: Int, at now: Int64) {
        pieces += Int64(more)
        let elapsed = now - since
        guard elapsed >= Self.window else { return }
        isWorthwhile = pieces * 1000 >= Self.threshold * elapsed
        pieces = 0
        since = now
    }

    /// Lets events gather (`nanosleep`).
    static func rest() {
        var time = timespec(tv_sec: 0, tv_nsec: pause)
        _ = unsafe nanosleep(&time, nil)
    }
}
