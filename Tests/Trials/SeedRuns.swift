import EventLoop
import History
import TestSupport

/// The history checker: for each seed, clients act while the seed's faults run.
@LoopActor package enum SeedRuns {
    /// Seeds that share a deployment.
    private static let batch = 10

    /// Runs one seed, with so many milliseconds of faults chosen among these.
    package static func run(
        _ seed: Int, at site: TrialSite, milliseconds: Int = 3000,
        faults: [Fault] = Fault.allCases
    ) async throws -> Trial.Outcome {
        let trial = Trial(Trial.Plan(seed: seed, name: "s\(seed)"), at: site)
        return try await trial.run { trial in
            for fault in Fault.plan(seed: seed, milliseconds: milliseconds, among: faults) {
                try await trial.suffer(fault)
            }
            try await Loop.sleep(milliseconds: 300)
        }
    }

    /// Runs so many seeds and tells of each; true if all kept their promises.
    package static func run(
        _ seeds: Range<Int>, tell: @LoopActor (String) -> Void
    ) async throws -> Bool {
        var (figures, bad) = (Figures(), [Int]())
        for first in stride(from: seeds.lowerBound, to: seeds.upperBound, by: batch) {
            try await TrialSite.run(workers: 4) { site in
                for seed in first..<min(first + batch, seeds.upperBound) {
                    let outcome = try await run(seed, at: site)
                    figures.add(outcome.history, outcome.stored)
                    if !outcome.violations.isEmpty { bad.append(seed) }
                    tell(outcome.line("seed \(seed)"))
                }
            }
        }
        tell(
            "seeds: \(bad.isEmpty ? "kept" : "BROKEN"): \(seeds.count) seeds, "
                + "\(bad.count) with violations \(bad); \(figures)")
        return bad.isEmpty
    }
}

extension Trial.Outcome {
    /// The verdict in a line; if it is a bad one, each violation and each fault in one of its own, with their times.
    package func line(_ name: String) -> String {
        var figures = Figures()
        figures.add(history, stored)
        guard !violations.isEmpty else { return "\(name): kept: \(figures)" }
        let zero = history.events.first?.started ?? 0
        let events = Dictionary(uniqueKeysWithValues: history.events.map { ($0.id, $0) })
        func times(_ started: Int64, _ ended: Int64) -> String {
            "\((started - zero) / 1000) to \((ended - zero) / 1000) ms"
        }
        let bad = violations.prefix(20).map { violation in
            let times = events[violation.subject].map { times($0.started, $0.ended) } ?? ""
            return "\(violation) \(times)"
        }
        let faults = history.faults.map { "\($0.name) \(times($0.started, $0.ended))" }
        return (["\(name): BROKEN, \(violations.count) violations: \(figures)"] + bad + faults)
            .joined(separator: "\n    ")
    }
}
