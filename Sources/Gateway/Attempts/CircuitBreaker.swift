internal import Crypto
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

    /// The circuit at a place of the board.
    init(
        _ provider: String, _ rules: Circuit.Rules, at place: CircuitBoard.Place, _ log: Log
    ) {
        self.provider = provider
        self.rules = rules
        self.log = log
        (words, index) = (place.words, place.index)
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

/// The memory of all circuits of a host: pairs of words, a key and its circuit. A key has its pair as long as the
/// master lives, whatever workers come and go.
@LoopActor
struct CircuitBoard {
    /// Where a circuit is.
    struct Place {
        let words: SharedWords
        let index: Int
    }

    private static let pairs = 1024
    /// Words that it needs.
    static let size = 2 * pairs

    private let words: SharedWords

    /// The board behind the descriptor that the master has made.
    init(_ descriptor: Int32) throws(SystemError) {
        words = try SharedWords(descriptor, count: Self.size)
    }

    /// The place of this key's circuit; nil when the board is full.
    func place(of key: String) -> Place? {
        let number = Self.number(of: key)
        let first = Int(number >> 1) % Self.pairs
        for step in 0..<Self.pairs {
            let index = 2 * ((first + step) % Self.pairs)
            if words[index] == 0 { _ = words.replace(index, 0, by: number) }
            if words[index] == number { return Place(words: words, index: index + 1) }
        }
        return nil
    }

    /// The same in every process, and never zero.
    private static func number(of key: String) -> UInt64 {
        SHA256.hash(Array(key.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }
}
