internal import Providers

/// Which candidate is asked next: each once, in order; then the last of those that may do better is tried again, until
/// enough attempts were made. A plain value; times are monotonic milliseconds.
struct AttemptPlan: Sendable {
    /// Attempts for one question, unless there are more candidates.
    static let most = 3
    /// Seconds that a provider may ask us to wait before another attempt. Whoever asks for more is told to the caller.
    static let longestWait = 10.0
    /// Milliseconds before the first repetition; doubled with each.
    private static let pause = 250

    private var untried: Range<Int>
    /// Tried candidates that may do better, and from when on.
    private var left: [(index: Int, readyAt: Int64)] = []
    private var made = 0
    private var repetitions = 0

    init(candidates: Int) {
        untried = 0..<candidates
    }

    /// The candidate to ask, and when; nil when nobody is left. `jitter` is 0 to 1.
    mutating func next(at now: Int64, jitter: Double) -> (index: Int, time: Int64)? {
        if let index = untried.popFirst() { return (index, now) }
        guard made < Self.most, let last = left.popLast() else { return nil }
        let pause = Double(Self.pause << repetitions) * (0.8 + 0.4 * jitter)
        repetitions += 1
        return (last.index, max(now + Int64(pause), last.readyAt))
    }

    /// A candidate was asked, and failed.
    mutating func failed(_ index: Int, _ failure: ProviderFailure, at now: Int64) {
        made += 1
        let wait = failure.retryAfter ?? 0
        guard failure.isRetriable, wait <= Self.longestWait else { return }
        left.append((index, now + Int64(wait * 1000)))
    }
}
