internal import EventLoop
internal import JSON
internal import System

/// The circuit of one provider, in memory that the workers of a host share.
@LoopActor
final class CircuitBreaker {
    private let provider: String
    private let rules: Circuit.Rules
    private let words: SharedWords
    private let index: Int
    private let log: Log

    /// The circuit in a row of the board.
    init(_ provider: String, _ rules: Circuit.Rules, in row: ProviderBoard.Row, _ log: Log) {
        self.provider = provider
        self.rules = rules
        self.log = log
        (words, index) = (row.words, row.circuit)
    }

    /// The right to a call; nil when nobody may ask now.
    func admit() -> Circuit.Permit? {
        while true {
            let word = words[index]
            let circuit = Circuit(word: word)
            guard let (next, permit) = circuit.admitting(at: Loop.now, rules) else { return nil }
            if next == circuit || words.replace(index, word, by: next.word) { return permit }
        }
    }

    /// Milliseconds until somebody may ask.
    var wait: Int { Circuit(word: words[index]).wait(at: Loop.now) }

    /// Tells what became of a call.
    func report(_ outcome: Circuit.Outcome, of permit: Circuit.Permit) {
        let jitter = Double.random(in: 0...1)
        while true {
            let word = words[index]
            let circuit = Circuit(word: word)
            let next = circuit.after(outcome, of: permit, at: Loop.now, rules, jitter: jitter)
            if next == circuit { return }
            guard words.replace(index, word, by: next.word) else { continue }
            return tell(circuit, next)
        }
    }

    /// Whoever has changed it says so; the other workers see it in silence.
    private func tell(_ before: Circuit, _ after: Circuit) {
        let name = Member("provider", .string(provider))
        switch (before.phase, after.phase) {
        case (.closed, .open):
            let wait = Member("retry_ms", .integer(after.wait(at: Loop.now)))
            log.event("circuit_opened", [name, wait])
        case (.probing, .closed): log.event("circuit_closed", [name])
        default: break
        }
    }
}
