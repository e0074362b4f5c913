/// Each request that reached the provider is charged once, with the provider's own counts where it told them.
struct UsageRules {
    /// Microseconds after its end within which a request's worker may have been killed.
    private static let grace: Int64 = 1_000_000

    private let history: History
    private let rows: [String: [Stored.Usage]]
    private let asked: [String: [History.Asked]]
    private let deadly: [History.Fault]

    init(_ history: History, _ stored: Stored) {
        self.history = history
        rows = Dictionary(grouping: stored.usage) { $0.request }
        asked = Dictionary(grouping: history.asked) { $0.event }
        deadly = history.faults.filter(\.isDeadly)
    }

    var violations: [Violation] {
        let known = Set(history.requests.values)
        let invented = rows.keys.filter { !known.contains($0) }
            .map { Violation(.usageInvented, $0) }
        return invented + history.events.compactMap(violation)
    }

    private func violation(_ event: Event) -> Violation? {
        guard let request = history.requests[event.id] else { return nil }
        let rows = rows[request] ?? []
        let asked = asked[event.id] ?? []
        guard rows.count < 2 else {
            return Violation(.usageDoubled, event.id, "\(rows.count) of \(request)")
        }
        if let row = rows.first { return wrong(row, asked, event) }
        guard !asked.isEmpty else { return nil }
        // Its row was stored before a whole answer ended, whatever became of its worker then.
        if event.chat?.isAcknowledged == true || history.logged.contains(request) {
            return Violation(.usageMissing, event.id, "request \(request)")
        }
        let mayBeDead = deadly.contains {
            $0.started <= event.ended + Self.grace && $0.ended >= event.started
        }
        return mayBeDead ? nil : Violation(.requestVanished, event.id, "request \(request)")
    }

    /// Of several attempts the last one counts, or all that were counted.
    private func wrong(
        _ row: Stored.Usage, _ asked: [History.Asked], _ event: Event
    ) -> Violation? {
        guard row.isProviders else { return nil }
        let counts = asked.compactMap(\.counted)
        let sum = counts.reduce(Tokens(prompt: 0, completion: 0), +)
        guard !counts.isEmpty, row.tokens == sum || row.tokens == counts.last else {
            return Violation(
                .usageWrong, event.id, "\(row.tokens) instead of \(counts)")
        }
        return nil
    }
}
