/// Which refusals the audit has a row of already. Whoever is refused can ask again as often as he likes, and shall not
/// fill the audit by that.
struct NotedRefusals {
    /// Milliseconds for which one row stands for all refusals of the same kind.
    static let interval: Int64 = 60_000
    /// Kinds that are remembered, at most. Beyond it memory begins anew: rather a row too many than one too few.
    static let limit = 10_000

    private struct Kind: Hashable {
        let actor: String
        let reason: String
    }

    /// When each was noted, in monotonic milliseconds.
    private var noted: [Kind: Int64] = [:]

    /// Whether this refusal deserves a row of its own; it is remembered then.
    mutating func isNew(_ reason: String, of actor: String, at now: Int64) -> Bool {
        let kind = Kind(actor: actor, reason: reason)
        if let last = noted[kind], now - last < Self.interval { return false }
        if noted.count >= Self.limit {
            noted = noted.filter { now - $0.value < Self.interval }
            if noted.count >= Self.limit { noted = [:] }
        }
        noted[kind] = now
        return true
    }
}
