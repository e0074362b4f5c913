import EventLoop
import HTTP
import HTTPClient
import OpenAI
import Providers
import System
import Testing

@testable import Gateway

@Suite("The plan of attempts")
struct AttemptPlanTests {
    private static let passing = ProviderFailure(
        .providerBadResponse, isRetriable: true, detail: "500")
    private static let silent = ProviderFailure(
        .providerTimeout, isRetriable: false, detail: "silent")

    private static func asking(toWait seconds: Double) -> ProviderFailure {
        ProviderFailure(
            .providerRateLimited(retryAfter: seconds), isRetriable: true, retryAfter: seconds,
            detail: "429")
    }

    /// Who is asked, and after how many milliseconds, when they fail like this; nil for one who is not asked after all.
    private static func course(
        _ candidates: Int, jitter: Double = 0.5, _ failure: (Int) -> ProviderFailure?
    ) -> (indices: [Int], pauses: [Int64]) {
        var plan = AttemptPlan(candidates: candidates)
        var (indices, pauses, now) = ([Int](), [Int64](), Int64(1000))
        while let next = plan.next(at: now, jitter: jitter), indices.count < 20 {
            indices.append(next.index)
            pauses.append(next.time - now)
            now = next.time
            if let failure = failure(next.index) { plan.failed(next.index, failure, at: now) }
        }
        return (indices, pauses)
    }

    @Test(
        "asks each candidate once, and the last one again, three times in all",
        arguments: [
            (1, [0, 0, 0]), (2, [0, 1, 1]), (3, [0, 1, 2]), (4, [0, 1, 2, 3]),
            (5, [0, 1, 2, 3, 4]), (0, []),
        ])
    func order(candidates: Int, expected: [Int]) {
        #expect(Self.course(candidates) { _ in Self.passing }.indices == expected)
    }

    @Test(
        "pauses before a repetition, longer before the second, and never before another candidate")
    func pauses() {
        #expect(Self.course(1) { _ in Self.passing }.pauses == [0, 250, 500])
        #expect(Self.course(1, jitter: 0) { _ in Self.passing }.pauses == [0, 200, 400])
        #expect(Self.course(1, jitter: 1) { _ in Self.passing }.pauses == [0, 300, 600])
        #expect(Self.course(2) { _ in Self.passing }.pauses == [0, 0, 250])
    }

    @Test("never asks again who was silent, or who wants to be left alone for long")
    func struckOut() {
        #expect(Self.course(1) { _ in Self.silent }.indices == [0])
        #expect(Self.course(2) { _ in Self.silent }.indices == [0, 1])
        #expect(Self.course(1) { _ in Self.asking(toWait: 10.5) }.indices == [0])
        // The last one of those that are left.
        #expect(
            Self.course(2) { $0 == 1 ? Self.silent : Self.passing }.indices == [0, 1, 0])
    }

    @Test("waits as long as the provider asks for, if that is short")
    func waiting() {
        #expect(Self.course(1) { _ in Self.asking(toWait: 2) }.pauses == [0, 2000, 2000])
        #expect(Self.course(1) { _ in Self.asking(toWait: 10) }.indices == [0, 0, 0])
        #expect(Self.course(1) { _ in Self.asking(toWait: 0) }.pauses == [0, 250, 500])
        // The others' attempts count as waiting.
        #expect(
            Self.course(2) { $0 == 1 ? Self.silent : Self.asking(toWait: 2) }.pauses
                == [0, 0, 2000])
    }

    @Test("does not count who was not asked")
    func passedOver() {
        #expect(Self.course(3) { $0 < 2 ? nil : Self.passing }.indices == [0, 1, 2, 2, 2])
        #expect(Self.course(2) { _ in nil }.indices == [0, 1])
    }

    @Test("ends in the last failure, or in what keeps all candidates from being asked")
    func verdict() {
        func code(_ refusals: [Refusal], _ failures: [ProviderFailure] = []) -> String? {
            var verdict = AttemptVerdict()
            for failure in failures { verdict.note(failure) }
            for refusal in refusals { verdict.note(refusal) }
            return APIError(of: verdict.error).code
        }
        let complaint = Refusal.inexpressible(.invalidValue("n", "too many"))
        let open = Refusal.open(milliseconds: 1500)
        #expect(code([complaint]) == "invalid_value")
        #expect(code([complaint, open]) == "provider_unreachable")
        #expect(code([complaint, open, .full]) == "overloaded")
        #expect(code([complaint, open, .full], [Self.silent]) == "provider_timeout")
        #expect(code([], [Self.silent, Self.passing]) == "provider_bad_response")
        #expect(code([]) == "provider_unreachable")
        var verdict = AttemptVerdict()
        for milliseconds in [4000, 1500, 9000] { verdict.note(.open(milliseconds: milliseconds)) }
        #expect(APIError(of: verdict.error).fields["retry-after"] == "2")
    }
}

@Suite("A failed exchange with a provider")
struct ClientFailureTests {
    @Test(
        "may be tried again unless the provider was silent, or is not to blame",
        arguments: [
            (ClientError.Kind.unreachable, true, true), (.tls, true, true),
            (.disconnected, true, true), (.badResponse, true, true),
            (.timedOut(.connect), false, true), (.timedOut(.firstByte), false, true),
            (.timedOut(.betweenBytes), false, true), (.timedOut(.total), false, true),
            (.invalidCall, false, true), (.tooLarge, false, false),
        ])
    func meaning(kind: ClientError.Kind, isRetriable: Bool, isOutage: Bool) {
        let failure = ProviderFailure(ClientError(kind))
        #expect(failure.isRetriable == isRetriable)
        #expect(failure.isOutage == isOutage)
        #expect(failure.permitsFailover)
    }
}

@Suite("The order of candidates")
struct CandidateOrderTests {
    /// Numbers that only look like chance, the same ones each time (SplitMix64).
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }

    private static func candidates(_ weights: [Int?]) -> [Candidate] {
        let provider = ServedProvider(
            name: "p", endpoint: .extractive, baseURL: "", deadlines: Deadlines())
        return weights.enumerated().map {
            Candidate(provider: provider, model: "\($0.offset)", weight: $0.element)
        }
    }

    /// How often in 10,000 each order is drawn.
    private static func orders(_ weights: [Int?]) -> [String: Int] {
        var random = Sequence(state: 1)
        let candidates = candidates(weights)
        return (0..<10_000).reduce(into: [:]) { counts, _ in
            counts[candidates.drawn(using: &random).map(\.model).joined(), default: 0] += 1
        }
    }

    private static func first(_ model: String, _ orders: [String: Int]) -> Int {
        orders.filter { $0.key.hasPrefix(model) }.values.reduce(0, +)
    }

    @Test("is the configuration's without weights")
    func unweighted() {
        #expect(Self.orders([nil, nil, nil]) == ["012": 10_000])
        #expect(Self.orders([]) == ["": 10_000])
    }

    @Test("is drawn by weight, and the rest by the weights that are left")
    func weighted() {
        let orders = Self.orders([6, 3, 1])
        #expect(orders.count == 6)
        for (model, share) in [("0", 6000), ("1", 3000), ("2", 1000)] {
            #expect(abs(Self.first(model, orders) - share) < 200)
        }
        // Where 0 is first, 1 comes before 2 three times in four.
        let (one, two) = (orders["012", default: 0], orders["021", default: 0])
        #expect(abs(Double(one) / Double(one + two) - 0.75) < 0.02)
    }

    @Test("takes a missing weight for 1, and has those of 0 at the end, as they stand")
    func special() {
        let orders = Self.orders([0, nil, 3, 0])
        #expect(Set(orders.keys) == ["1203", "2103"])
        #expect(abs(Self.first("2", orders) - 7500) < 200)
        #expect(Self.orders([0, 0]) == ["01": 10_000])
    }

    @Test("names each candidate in plain ASCII")
    func labels() {
        let provider = Self.candidates([nil])[0].provider
        let names = ["llama3.1:8b", "", "a b\r\nx: y", "größe"].map {
            Candidate(provider: provider, model: $0).label
        }
        #expect(names == ["p/llama3.1:8b", "p", "p/a%20b%0D%0Ax%3A%20y", "p/gr%C3%B6%C3%9Fe"])
    }
}

@Suite("Admission to a provider")
@LoopActor
struct AdmissionTests {
    @Test("is for as many at a time as there are places, and each ends once")
    func places() throws {
        let memory = try SharedWords.make(count: ProviderBoard.size)
        defer { Descriptor.close(memory) }
        let board = try ProviderBoard(memory)
        board.clear(column: 0)
        let calls = RunningCalls(limit: 2, in: try #require(board.row(of: "p")), column: 0)
        let provider = ServedProvider(
            name: "p", endpoint: .extractive, baseURL: "", deadlines: Deadlines(),
            admission: Admission(calls: calls))
        let candidate = Candidate(provider: provider, model: "m")
        let (one, two) = (try Attempt(candidate), try Attempt(candidate))
        #expect(throws: Refusal.self) { try Attempt(candidate) }
        one.end(.answered)
        let three = try Attempt(candidate)
        #expect(throws: Refusal.self) { try Attempt(candidate) }
        for attempt in [two, three] { attempt.end(.failed) }
        _ = (try Attempt(candidate), try Attempt(candidate))
    }
}
