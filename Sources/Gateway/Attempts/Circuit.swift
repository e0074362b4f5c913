/// A circuit breaker: whether a provider is worth asking. Closed, everybody may ask; failures one after the other open
/// it, and nobody may; after a pause one call probes, and decides. A plain value of 64 bits, which the workers of a
/// host share. Times are monotonic milliseconds.
struct Circuit: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        case closed
        /// Nobody asks before this time.
        case open(until: Int64)
        /// One call asks; its worker may die, so it has only until this time.
        case probing(until: Int64)
    }

    /// What the operator decides.
    struct Rules: Equatable, Sendable {
        /// So many failures open it.
        var failures = 5
        /// Milliseconds until the first probe; doubled each time a probe fails.
        var pause = 5000
        /// Milliseconds that a probe has to hear something.
        var patience = 60_000

        /// Milliseconds of the longest pause, unless the first is longer.
        static let longestPause = 60_000
    }

    /// The right to one call.
    enum Permit: Equatable, Sendable {
        case call
        /// The probe that has this time.
        case probe(until: Int64)
    }

    /// What became of a call.
    enum Outcome: Equatable, Sendable {
        /// The answer begins: enough for others to ask too.
        case began
        /// All of an answer, or a refusal that shows that the provider lives.
        case answered
        case failed
        /// Nobody knows: the caller left.
        case abandoned
    }

    var phase = Phase.closed
    /// One after the other, while closed.
    var failures = 0
    /// How often it has opened since the last whole answer.
    var openings = 0

    private static let mostOpenings = 15

    /// It and the right to a call, as they are when somebody asks now; nil when nobody may.
    func admitting(at now: Int64, _ rules: Rules) -> (circuit: Circuit, permit: Permit)? {
        switch phase {
        case .closed: return (self, .call)
        case .open(let time), .probing(let time):
            guard now >= time else { return nil }
            let end = now + Int64(rules.patience)
            var circuit = self
            circuit.phase = .probing(until: end)
            return (circuit, .probe(until: end))
        }
    }

    /// Milliseconds until somebody may ask.
    func wait(at now: Int64) -> Int {
        switch phase {
        case .closed: 0
        case .open(let time), .probing(let time): Int(max(0, time - now))
        }
    }

    /// It after a call with this permit. While it is not closed, only the probe decides. `jitter` is 0 to 1.
    func after(
        _ outcome: Outcome, of permit: Permit, at now: Int64, _ rules: Rules, jitter: Double
    ) -> Circuit {
        switch phase {
        case .closed: afterCall(outcome, at: now, rules, jitter)
        case .open: self
        case .probing(let until):
            permit == .probe(until: until) ? afterProbe(outcome, at: now, rules, jitter) : self
        }
    }

    private func afterCall(
        _ outcome: Outcome, at now: Int64, _ rules: Rules, _ jitter: Double
    ) -> Circuit {
        switch outcome {
        case .began, .abandoned: return self
        case .answered: return Circuit()
        case .failed:
            guard failures + 1 >= rules.failures else {
                var circuit = self
                circuit.failures += 1
                return circuit
            }
            return opened(at: now, rules, jitter)
        }
    }

    private func afterProbe(
        _ outcome: Outcome, at now: Int64, _ rules: Rules, _ jitter: Double
    ) -> Circuit {
        switch outcome {
        // Until a whole answer it is on trial: the next failure opens it again, and for longer.
        case .began: Circuit(phase: .closed, failures: rules.failures - 1, openings: openings)
        case .answered: Circuit()
        case .failed: opened(at: now, rules, jitter)
        case .abandoned: Circuit(phase: .open(until: now), openings: openings)
        }
    }

    private func opened(at now: Int64, _ rules: Rules, _ jitter: Double) -> Circuit {
        let longest = max(rules.pause, Rules.longestPause)
        let pause = min(rules.pause << min(openings, Self.mostOpenings), longest)
        // Not all hosts at the same moment.
        let wait = Int64(Double(pause) * (0.9 + 0.2 * jitter))
        return Circuit(
            phase: .open(until: now + wait), openings: min(openings + 1, Self.mostOpenings))
    }
}

/// As it stands in memory, from the lowest bit: 2 of phase, 10 of failures, 4 of openings, 48 of time. All zero is
/// closed.
extension Circuit {
    init(word: UInt64) {
        let time = Int64(word >> 16)
        switch word & 3 {
        case 1: phase = .open(until: time)
        case 2: phase = .probing(until: time)
        default: phase = .closed
        }
        failures = Int(word >> 2 & 0x3ff)
        openings = Int(word >> 12 & 0xf)
    }

    var word: UInt64 {
        let (tag, time): (UInt64, Int64) =
            switch phase {
            case .closed: (0, 0)
            case .open(let until): (1, until)
            case .probing(let until): (2, until)
            }
        let counts = UInt64(min(max(failures, 0), 0x3ff)) << 2 | UInt64(openings & 0xf) << 12
        return tag | counts | UInt64(max(time, 0)) << 16
    }
}
