internal import EventLoop
internal import HTTP
internal import OpenAI
internal import Providers

/// Why a candidate is not asked.
enum Refusal: Error, CustomStringConvertible {
    /// As many calls as its provider may have are running.
    case full
    /// Its circuit is open for so many milliseconds.
    case open(milliseconds: Int)
    /// Its wire cannot say what the caller wants.
    case inexpressible(APIError)

    /// For the log.
    var description: String {
        switch self {
        case .full: "as many calls as it may have are running"
        case .open(let milliseconds): "passed over for \(milliseconds) ms, as its circuit is open"
        case .inexpressible(let error): "cannot be asked this: \(error.code ?? error.type)"
        }
    }
}

/// Who may call a provider now: as many at a time as it can take, and only while its circuit lets them.
@LoopActor
final class Admission {
    private let calls: RunningCalls?
    private let breaker: CircuitBreaker?

    /// Without one of them there is no such limit.
    nonisolated init(calls: RunningCalls? = nil, breaker: CircuitBreaker? = nil) {
        self.calls = calls
        self.breaker = breaker
    }

    /// Nobody may ask now.
    var isBarred: Bool { (breaker?.wait ?? 0) > 0 }

    fileprivate func enter() throws(Refusal) -> Circuit.Permit {
        if let calls, !calls.enter() { throw .full }
        guard let breaker else { return .call }
        guard let permit = breaker.admit() else {
            calls?.leave()
            throw .open(milliseconds: breaker.wait)
        }
        return permit
    }

    fileprivate func report(_ outcome: Circuit.Outcome, of permit: Circuit.Permit) {
        breaker?.report(outcome, of: permit)
    }

    fileprivate func leave() {
        calls?.leave()
    }
}

/// A candidate that is being asked. Whoever makes it ends it.
@LoopActor
final class Attempt {
    let candidate: Candidate
    private let permit: Circuit.Permit
    private var hasBegun = false

    /// Throws when the candidate must not be asked now.
    init(_ candidate: Candidate) throws(Refusal) {
        self.candidate = candidate
        permit = try candidate.provider.admission.enter()
    }

    /// The answer begins.
    func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        candidate.provider.admission.report(.began, of: permit)
    }

    /// Nothing more comes.
    func end(_ outcome: Circuit.Outcome) {
        candidate.provider.admission.report(outcome, of: permit)
        candidate.provider.admission.leave()
    }
}

/// What is told to the caller when no candidate has answered: the last failure. Where nobody was asked, what may soon
/// be different.
struct AttemptVerdict {
    private var failure: ProviderFailure?
    private var isFull = false
    private var wait: Int?
    private var complaint: APIError?

    mutating func note(_ failure: ProviderFailure) {
        self.failure = failure
    }

    mutating func note(_ refusal: Refusal) {
        switch refusal {
        case .full: isFull = true
        case .open(let milliseconds): wait = min(wait ?? milliseconds, milliseconds)
        case .inexpressible(let error): complaint = complaint ?? error
        }
    }

    /// Somebody was asked.
    var hasFailure: Bool { failure != nil }

    var error: any Error {
        if let failure { return failure }
        if isFull { return APIError.providerOverloaded }
        if let wait { return APIError.providerPaused.asking(toWait: Double(wait) / 1000) }
        return complaint
            ?? ProviderFailure(.providerUnreachable, isRetriable: false, detail: "no candidate")
    }
}
