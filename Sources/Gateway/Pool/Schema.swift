internal import EventLoop
internal import PostgreSQL
internal import Store

/// Whether the database can be used: reached, and migrated as this program needs it. Asked by readiness probes, so
/// the answer is remembered for a second.
@LoopActor
final class Schema {
    enum State: Sendable {
        case ready
        /// In words for an operator.
        case fault(String)
    }

    /// Milliseconds that a probe waits for the database.
    private static let patience = 1000

    private let pool: PostgreSQL.Pool
    private var last: (state: State, at: Int64)?

    init(_ pool: PostgreSQL.Pool) {
        self.pool = pool
    }

    /// What an operator has to look at, as far as everybody may know it.
    private func reason(of error: any Error) -> String {
        switch (error as? DatabaseError)?.sqlstate ?? pool.trouble?.sqlstate {
        case "53300"?: ": no connections left"
        case "53100"?: ": its disk is full"
        case "25006"?: ": read-only"
        case "57P03"?: ": starting or stopping"
        case "42501"?: ": the role lacks rights"
        case "3D000"?: ": no such database or role"
        case let state? where state.hasPrefix("28"): ": sign-in refused"
        default: ""
        }
    }

    func state() async -> State {
        if let last, Loop.now - last.at < 1000 { return last.state }
        let state: State
        do {
            let found = try await Loop.within(milliseconds: Self.patience) { [pool] in
                try await Migrations.check(pool)
            }
            switch found {
            case nil: state = .fault("database unavailable: no answer")
            case .current: state = .ready
            case .behind: state = .fault("database not migrated: run `archway migrate`")
            case .ahead: state = .fault("database migrated by a newer version")
            }
        } catch {
            state = .fault("database unavailable" + reason(of: error))
        }
        last = (state, Loop.now)
        return state
    }
}
