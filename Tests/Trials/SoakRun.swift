import EventLoop
import Foundation
import History
import TestSupport

/// Minutes of mixed load and faults, in rounds. After each round the clients rest, and the processes are measured.
///
/// The first five sixths spare the processes (providers fail, clients leave, PostgreSQL is stopped and started), so
/// that growth can be seen; in the last sixth everything happens. Growth is the median of the last fifth of the samples
/// against that of the second fifth: the first is for caches and pools to fill, and a median forgives a round that
/// ended oddly.
@LoopActor package final class SoakRun {
    /// Descriptors more, for each process: how kept connections spread over the workers varies.
    private static let descriptors = 16

    /// How long it goes on.
    package enum Extent: Sendable {
        case minutes(Double)
        /// Rounds of a second, for a test.
        case rounds(Int)
    }

    private struct Sample {
        var memory: [Int32: Int]
        var descriptors: [Int32: Int]
    }

    private let site: TrialSite
    /// What private memory may grow, in percent.
    private let growth: Double
    private let master: Int32
    private let extent: Extent
    private let tell: @LoopActor (String) -> Void
    private let began = Loop.now
    private var samples: [Sample] = []
    private var customers: [Customer] = []
    private var figures = Figures()
    private var violations: [Violation] = []

    /// Goes on for so long and tells of it; true if no promise was broken. `growth` is what private memory may grow, in
    /// percent.
    package static func run(
        _ extent: Extent, seed: Int, growth: Double = 1, tell: @escaping @LoopActor (String) -> Void
    ) async throws -> Bool {
        try await TrialSite.run(workers: 2) { site in
            let run = SoakRun(site, extent, growth, tell)
            try await run.rounds(seed)
            return run.verdict()
        }
    }

    private init(
        _ site: TrialSite, _ extent: Extent, _ growth: Double,
        _ tell: @escaping @LoopActor (String) -> Void
    ) {
        self.growth = growth
        self.site = site
        master = site.deployment.master
        self.extent = extent
        self.tell = tell
    }

    /// How far it has come before this round, from 0 to 1.
    private func place(_ round: Int) -> Double {
        switch extent {
        case .minutes(let minutes): Double(Loop.now - began) / (minutes * 60_000)
        case .rounds(let count): Double(round) / Double(count)
        }
    }

    /// Milliseconds of a round.
    private var length: Int {
        switch extent {
        case .minutes(let minutes): Int(min(60_000, max(5000, minutes * 60_000 / 36)))
        case .rounds: 1000
        }
    }

    private func rounds(_ seed: Int) async throws {
        var number = 0
        while place(number) < 1 {
            let sparing = place(number) < 5.0 / 6
            number += 1
            var plan = Trial.Plan(seed: seed + number, name: "r\(number)")
            plan.clients = 12
            // The same ones, or the memory of tokens would grow to its bound, which is no leak.
            let trial = Trial(plan, at: site, customers: customers)
            let outcome = try await trial.run { trial in
                try await self.round(trial, length: length, sparing: sparing)
            }
            customers = trial.customers
            figures.add(outcome.history, outcome.stored)
            violations += outcome.violations
            if !outcome.violations.isEmpty { tell(outcome.line("round \(number)")) }
            try await site.empty(trial.customers)
            if sparing { try await measure(number) }
        }
    }

    private func round(_ trial: Trial, length: Int, sparing: Bool) async throws {
        let end = Loop.now + Int64(length)
        if sparing {
            try await Loop.sleep(milliseconds: length / 2)
            try await trial.suffer(.init(fault: .restartDatabase, pause: 0, length: 300))
            try await Loop.sleep(milliseconds: max(0, Int(end - Loop.now)))
        } else {
            for fault in Fault.plan(seed: trial.plan.seed, milliseconds: length)
            where Loop.now < end {
                try await trial.suffer(fault)
            }
        }
    }

    private func measure(_ number: Int) async throws {
        try await Loop.sleep(milliseconds: 500)
        var sample = Sample(memory: [:], descriptors: [:])
        for process in [site.deployment.master] + site.deployment.workers {
            sample.memory[process] = ProcessFigures.privateMemory(of: process)
            sample.descriptors[process] = ProcessFigures.descriptors(of: process).count
        }
        samples.append(sample)
        let words = sample.memory.sorted { $0.key < $1.key }.map { process, bytes in
            let name = process == master ? "master" : "worker"
            return "\(name) \(bytes / 1024) KiB \(sample.descriptors[process] ?? 0) descriptors"
        }
        tell("round \(number): \(words.joined(separator: ", "))")
    }

    private func verdict() -> Bool {
        let workers = Set(samples.flatMap(\.memory.keys)).subtracting([master]).sorted()
        let isFlat = [isFlat("master", [master]), isFlat("workers", workers)].allSatisfy { $0 }
        let isKept = violations.isEmpty && isFlat
        tell(
            "soak: \(isKept ? "kept" : "BROKEN"): \(extent), "
                + "\(violations.count) violations; \(figures)")
        return isKept
    }

    /// Of all of them together: a request costs memory in one of them, by chance.
    private func isFlat(_ name: String, _ processes: [Int32]) -> Bool {
        let fifth = samples.count / 5
        let (second, last) = (samples.dropFirst(fifth).prefix(fifth), samples.suffix(fifth))
        let haveLived = samples.allSatisfy { Set($0.memory.keys).isSuperset(of: processes) }
        guard haveLived, fifth > 0 else {
            tell("soak: BROKEN: \(name): too few samples, or not all have lived through them")
            return false
        }
        func sum(_ samples: ArraySlice<Sample>, _ figures: KeyPath<Sample, [Int32: Int]>) -> Double
        {
            processes.reduce(0) { sum, process in
                sum + Self.median(samples.compactMap { $0[keyPath: figures][process] })
            }
        }
        let (before, after) = (sum(second, \.memory) / 1024, sum(last, \.memory) / 1024)
        let percent = (after / before - 1) * 100
        let opened = sum(last, \.descriptors) - sum(second, \.descriptors)
        let isGood =
            percent < growth && opened <= Double(Self.descriptors * processes.count)
        tell(
            "soak: \(isGood ? "kept" : "BROKEN"): "
                + String(
                    format:
                        "private memory of %@ %.0f KiB, then %.0f KiB: %+.2f %%; descriptors %+.0f",
                    name, before, after, percent, opened))
        return isGood
    }

    private static func median(_ values: [Int]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? Double(sorted[middle - 1] + sorted[middle]) / 2 : Double(sorted[middle])
    }
}
