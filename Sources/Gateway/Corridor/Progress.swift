internal import HTTP
internal import OpenAI
internal import Store

/// How far a reply has come. It ends once: whatever is said of it later changes neither the ledger nor the log.
///
///     waiting ──> open ──> ended
///        └───────────────────^
struct Progress: Sendable, Hashable {
    /// How an answer ends.
    enum End: Sendable, Hashable {
        /// All of it is there.
        case completed
        /// It was cut: the caller has left, or this worker ends.
        case incomplete
        /// It failed; the status that says so if no head has gone out yet.
        case failed(Int)

        var ended: UsageRow.Ended {
            switch self {
            case .completed: .completed
            case .incomplete: .incomplete
            case .failed: .failed
            }
        }

        /// The status that tells of it, where none has gone out.
        var status: Int {
            switch self {
            case .completed: 200
            case .incomplete: APIError.draining.status.rawValue
            case .failed(let status): status
            }
        }
    }

    enum State: Sendable, Hashable {
        /// The caller has heard nothing.
        case waiting
        /// The head has gone out.
        case open
        case ended(End)
    }

    /// nginx's word for a caller who has left before he heard anything.
    static let departed = 499

    private(set) var state = State.waiting
    /// Of the reply, as soon as it is known: that of the head, or why there is none.
    private(set) var status: Int?

    /// How it ended, once it has.
    var end: End? {
        if case .ended(let end) = state { end } else { nil }
    }

    /// The head goes out. Of a reply that is known as a whole that is after its end.
    mutating func open(_ status: Int) {
        guard case .waiting = state else { return }
        state = .open
        self.status = status
    }

    /// It ends. False when it has ended before: the first end counts.
    mutating func end(_ end: End, callerHasLeft: Bool) -> Bool {
        switch state {
        case .waiting: status = callerHasLeft ? Self.departed : end.status
        case .open: break
        case .ended: return false
        }
        state = .ended(end)
        return true
    }
}
