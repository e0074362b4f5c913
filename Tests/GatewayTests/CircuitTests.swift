import EventLoop
import System
import TestSupport
import Testing

@testable import Gateway

@Suite("A circuit")
struct CircuitTests {
    private static let rules = Circuit.Rules(failures: 3, pause: 1000, patience: 500)

    /// It after the outcomes of so many calls, each at this time.
    private static func circuit(
        _ outcomes: [Circuit.Outcome], at now: Int64 = 0, from first: Circuit = Circuit()
    ) -> Circuit {
        outcomes.reduce(first) { circuit, outcome in
            circuit.after(outcome, of: .call, at: now, rules, jitter: 0.5)
        }
    }

    /// It after a probe at the first moment that allows one.
    private static func probed(
        _ circuit: Circuit, _ outcome: Circuit.Outcome
    ) throws -> (circuit: Circuit, time: Int64) {
        let time = Int64(circuit.wait(at: 0))
        let (probing, permit) = try #require(circuit.admitting(at: time, rules))
        return (probing.after(outcome, of: permit, at: time, rules, jitter: 0.5), time)
    }

    @Test("opens after failures in a row, and an answer between them counts")
    func opening() {
        #expect(Self.circuit([.failed, .failed]).phase == .closed)
        #expect(Self.circuit([.failed, .failed, .failed]).phase == .open(until: 1000))
        #expect(Self.circuit([.failed, .failed, .answered, .failed, .failed]).phase == .closed)
        // A beginning is not yet an answer, and who leaves says nothing.
        #expect(
            Self.circuit([.failed, .failed, .began, .abandoned, .failed]).phase
                == .open(until: 1000))
    }

    @Test("lets nobody pass while it is open, then exactly one")
    func probe() throws {
        let open = Self.circuit([.failed, .failed, .failed])
        #expect(open.admitting(at: 999, Self.rules) == nil)
        let (probing, permit) = try #require(open.admitting(at: 1000, Self.rules))
        #expect(permit == .probe(until: 1500))
        #expect(probing.phase == .probing(until: 1500))
        #expect(probing.admitting(at: 1499, Self.rules) == nil)
        #expect(probing.wait(at: 1400) == 100)
        // The probe's worker may be dead: somebody else probes, and the first one has no say any more.
        let (again, second) = try #require(probing.admitting(at: 1500, Self.rules))
        #expect(second == .probe(until: 2000))
        for outcome in [Circuit.Outcome.began, .answered, .failed, .abandoned] {
            #expect(again.after(outcome, of: permit, at: 1600, Self.rules, jitter: 0) == again)
        }
    }

    @Test("is decided by its probe alone")
    func decision() throws {
        let open = Self.circuit([.failed, .failed, .failed])
        // Calls that were running when it opened.
        #expect(Self.circuit([.answered, .failed, .began], at: 500, from: open) == open)
        #expect(try Self.probed(open, .answered).circuit == Circuit())
        let left = try Self.probed(open, .abandoned)
        #expect(left.circuit.phase == .open(until: 1000))
        #expect(left.circuit.admitting(at: 1000, Self.rules) != nil)
        let failed = try Self.probed(open, .failed)
        #expect(failed.circuit.phase == .open(until: 1000 + 2000))
    }

    @Test("closes as soon as its probe's answer begins, but on trial until it is whole")
    func trial() throws {
        let (begun, _) = try Self.probed(Self.circuit([.failed, .failed, .failed]), .began)
        #expect(begun.phase == .closed)
        #expect(Self.circuit([.failed], at: 5000, from: begun).phase == .open(until: 7000))
        #expect(Self.circuit([.answered], from: begun) == Circuit())
    }

    @Test("pauses twice as long each time, with jitter, up to a minute")
    func pauses() throws {
        var circuit = Self.circuit([.failed, .failed, .failed])
        var pauses: [Int64] = []
        var before: Int64 = 0
        for _ in 0..<20 {
            let (next, time) = try Self.probed(circuit, .failed)
            pauses.append(time - before)
            (circuit, before) = (next, time)
        }
        #expect(pauses.prefix(7) == [1000, 2000, 4000, 8000, 16000, 32000, 60000])
        #expect(pauses.suffix(13).allSatisfy { $0 == 60000 })
        let waits = [0, 1].map { jitter in
            Circuit(failures: 2).after(.failed, of: .call, at: 0, Self.rules, jitter: jitter)
                .wait(at: 0)
        }
        #expect(waits == [900, 1100])
        let slow = Circuit.Rules(failures: 1, pause: 90_000, patience: 1)
        #expect(
            Circuit().after(.failed, of: .call, at: 0, slow, jitter: 0.5).wait(at: 0) == 90_000)
    }

    @Test("fits into a word, and zero is closed")
    func words() {
        #expect(Circuit(word: 0) == Circuit())
        #expect(Circuit().word == 0)
        for phase in [Circuit.Phase.closed, .open(until: 1 << 47), .probing(until: 7)] {
            for (failures, openings) in [(0, 0), (1000, 15), (5, 1)] {
                let circuit = Circuit(phase: phase, failures: failures, openings: openings)
                #expect(Circuit(word: circuit.word) == circuit)
            }
        }
        // Whatever stands in memory is some circuit.
        #expect(Circuit(word: .max).phase == .closed)
    }
}

@Suite("The circuits of a host")
@LoopActor
struct SharedCircuitTests {
    private static let log = Log(process: "test")

    /// The same memory as two workers see it.
    private static func boards() throws -> [ProviderBoard] {
        let descriptor = try SharedWords.make(count: ProviderBoard.size)
        defer { Descriptor.close(descriptor) }
        return [try ProviderBoard(descriptor), try ProviderBoard(descriptor)]
    }

    private static func breaker(
        _ board: ProviderBoard, _ key: String = "a"
    ) throws -> CircuitBreaker {
        let rules = Circuit.Rules(failures: 2, pause: 50, patience: 10_000)
        return CircuitBreaker(key, rules, in: try #require(board.row(of: key)), log)
    }

    @Test("are the same for all workers, and each provider's is its own")
    func sharing() async throws {
        let boards = try Self.boards()
        let (one, other) = (try Self.breaker(boards[0]), try Self.breaker(boards[1]))
        let stranger = try Self.breaker(boards[1], "b")
        for breaker in [one, other] {
            breaker.report(.failed, of: try #require(breaker.admit()))
        }
        #expect(one.admit() == nil && other.admit() == nil)
        #expect(one.wait > 0)
        #expect(stranger.admit() == .call)
        // Of all that ask after the pause one may, whichever worker it is.
        #expect(await waitUntilClosed(one))
        let permits = [one, other, one, other].compactMap { $0.admit() }
        #expect(permits.count == 1 && permits.first != .call)
        other.report(.answered, of: try #require(permits.first))
        #expect(one.admit() == .call)
    }

    private func waitUntilClosed(_ breaker: CircuitBreaker) async -> Bool {
        await waitUntil { breaker.wait == 0 }
    }
}
