import EventLoop
import History
import TestSupport
import Testing
import Trials

extension EndToEnd {
    @Suite("Histories") @LoopActor struct Histories {
        @Test("Whatever clients do while faults run, no promise is broken")
        func seeds() async throws {
            var figures = Figures()
            try await TrialSite.run(workers: 3) { site in
                for seed in 1...3 {
                    let outcome = try await SeedRuns.run(seed, at: site)
                    #expect(outcome.violations.isEmpty, "\(outcome.line("seed \(seed)"))")
                    figures.add(outcome.history, outcome.stored)
                }
            }
            figure("three seeds: \(figures)")
            // A check of nothing proves nothing.
            #expect(figures.acknowledged > 50 && figures.revocations > 3 && figures.charged > 50)
        }

        @Test("A11: Under mixed load and faults memory and descriptors stay as they are")
        func soak() async throws {
            // Of so short a run only the gross can be told; `make soak` tells the rest.
            let isKept = try await SoakRun.run(.rounds(6), seed: 1, growth: 25) { figure($0) }
            #expect(isKept)
        }
    }
}
