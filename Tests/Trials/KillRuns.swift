import EventLoop
import Foundation
import History
import TestSupport

/// Many kills of workers, each at a chosen moment of some request, while clients ask without a pause.
@LoopActor package final class KillRuns {
    /// Lives shorter than this, in milliseconds, are failed starts to the master, which then waits longer and longer
    /// before it starts another worker. So only older ones are killed, of many.
    private static let longLife = 5300
    private static let workers = 20
    /// So many of them are old enough at any time, or no moment would find its worker among them.
    private static let choice = 4
    /// Kills whose histories are checked together.
    private static let batch = 100
    /// Milliseconds to wait for a moment.
    private static let patience = 1200

    private let trial: Trial
    private var dice: Dice
    private var wanted: (moment: Trial.Moment, event: String?)?
    private var event: String?
    private let met = Gate()
    private var moments: [String: Int] = [:]

    /// Kills so many workers and tells of it; true if no promise was broken.
    package static func run(
        _ kills: Int, firstSeed: Int, tell: @LoopActor (String) -> Void
    ) async throws -> Bool {
        var (figures, moments, bad) = (Figures(), [String: Int](), 0)
        try await TrialSite.run(workers: workers) { site in
            for first in stride(from: 0, to: kills, by: batch) {
                let seed = firstSeed + first / batch
                let count = min(batch, kills - first)
                let (outcome, met) = try await run(count, seed: seed, at: site)
                figures.add(outcome.history, outcome.stored)
                moments.merge(met) { $0 + $1 }
                bad += outcome.violations.count
                tell(outcome.line("kills \(first + 1) to \(first + count)"))
            }
        }
        let spread = moments.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        tell(
            "kills: \(bad == 0 ? "kept" : "BROKEN, \(bad) violations"): \(kills) kills "
                + "(\(spread.joined(separator: ", "))); \(figures)")
        return bad == 0
    }

    private static func run(
        _ kills: Int, seed: Int, at site: TrialSite
    ) async throws -> (Trial.Outcome, [String: Int]) {
        var plan = Trial.Plan(seed: seed, name: "k\(seed)")
        plan.clients = 24
        plan.customers = 4
        plan.changesTokens = false
        plan.faultyShare = 5
        let trial = Trial(plan, at: site)
        let run = KillRuns(trial)
        let outcome = try await trial.run { _ in
            for _ in 0..<kills { try await run.kill() }
        }
        return (outcome, run.moments)
    }

    private init(_ trial: Trial) {
        self.trial = trial
        dice = Dice(seed: trial.plan.seed, player: -2)
        trial.onMoment = { [unowned self] moment, event in meet(moment, event) }
    }

    private func meet(_ moment: Trial.Moment, _ event: String) {
        guard let wanted, wanted.moment == moment, wanted.event ?? event == event else { return }
        self.wanted = nil
        self.event = event
        met.open()
    }

    /// Kills the worker of a request at the chosen moment, or any that has lived long enough.
    private func kill() async throws {
        let moment = Trial.Moment.allCases.randomElement(using: &dice)
        let oldest = try await eligible()
        let limit = Loop.now + Int64(Self.patience)
        while let moment, dice.chance(95), let event = try await meet(.asked, until: limit) {
            guard let hit = worker(of: event) else { continue }
            if moment != .asked {
                let end = min(limit, Loop.now + Int64(Self.patience / 3))
                guard try await meet(moment, of: event, until: end) != nil else { continue }
            }
            // At the very moment, or a little later.
            let pause = dice.number(0...(moment == .asked ? 30 : 3))
            if dice.chance(50) { try await Loop.sleep(milliseconds: pause) }
            return await kill(hit, moment.rawValue)
        }
        await kill(oldest, "at any moment")
    }

    private func kill(_ worker: Int32, _ moment: String) async {
        moments[moment, default: 0] += 1
        await trial.fault("worker killed", isDeadly: true) { Glibc.kill(worker, SIGKILL) }
    }

    /// The worker that asks the provider for an event, if it has lived long enough.
    private func worker(of event: String) -> Int32? {
        guard let port = trial.site.port(of: event),
            let worker = ProcessFigures.owner(ofPort: port, among: trial.site.workers),
            ProcessFigures.age(of: worker) > Self.longLife
        else { return nil }
        return worker
    }

    /// Waits for a moment of an event, or of any.
    private func meet(
        _ moment: Trial.Moment, of wanted: String? = nil, until limit: Int64
    ) async throws -> String? {
        (self.wanted, event) = ((moment, wanted), nil)
        let timer = Loop.after(milliseconds: Int(limit - Loop.now)) { [met] in met.open() }
        defer { timer.cancel() }
        while event == nil, Loop.now < limit { try await met.pass() }
        self.wanted = nil
        return event
    }

    /// The oldest worker, as soon as several have lived long enough.
    private func eligible() async throws -> Int32 {
        while true {
            let workers = trial.site.workers
            if workers.count > Self.choice,
                ProcessFigures.age(of: workers[Self.choice - 1]) > Self.longLife
            {
                return workers[0]
            }
            try await Loop.sleep(milliseconds: 30)
        }
    }
}
