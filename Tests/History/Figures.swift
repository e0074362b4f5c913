/// How much there was in a history, or in several: a check of nothing proves nothing.
package struct Figures: Sendable, CustomStringConvertible {
    package var events = 0
    package var unknown = 0
    package var whole = 0
    package var errors = 0
    package var broken = 0
    package var left = 0
    package var acknowledged = 0
    package var revocations = 0
    package var refusals = 0
    package var charged = 0
    /// Of the rows with the provider's own counts.
    package var tokens = Tokens(prompt: 0, completion: 0)
    package var faults: [String: Int] = [:]

    package init() {}

    /// Adds what a history has.
    package mutating func add(_ history: History, _ stored: Stored) {
        for event in history.events { add(event) }
        for fault in history.faults { faults[fault.name, default: 0] += 1 }
        charged += stored.usage.count
        for row in stored.usage where row.isProviders { tokens = tokens + row.tokens }
    }

    private mutating func add(_ event: Event) {
        events += 1
        if event.outcome == .unknown { unknown += 1 }
        if event.status == 401 { refusals += 1 }
        switch event.deed {
        case .revoke, .revokeAll, .mint(_, _, replaces: true):
            if event.outcome == .ok { revocations += 1 }
        case .chat(let chat):
            if chat.isAcknowledged { acknowledged += 1 }
            if chat.transcript.isWhole {
                whole += 1
            } else if chat.transcript.hasLeft {
                left += 1
            } else if chat.transcript.isClean {
                errors += 1
            } else {
                broken += 1
            }
        default: break
        }
    }

    package var description: String {
        let faults = faults.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        return """
            \(events) events (\(unknown) of unknown outcome); answers: \(whole) whole, \
            \(errors) errors, \(broken) broken, \(left) left; \(acknowledged) acknowledged; \
            \(revocations) revocations, \(refusals) refusals; \(charged) usage rows with \
            \(tokens) of the provider's tokens; faults: \
            \(faults.isEmpty ? "none" : faults.joined(separator: ", "))
            """
    }
}
