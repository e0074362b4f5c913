internal import EventLoop
internal import Store

/// Writes usage rows. A statement costs PostgreSQL several times what a row of it does, so while many requests run,
/// rows of those that end one after the other go out together. Each is durable before its reply ends all the same.
@LoopActor
final class UsageLedger {
    /// Rows that are worth a statement.
    private static let enough = 32
    /// Milliseconds that a row waits at most for company.
    private static let patience = 20

    private let spool: Spool
    /// Requests that run, those included whose rows are here.
    private let running: @LoopActor () -> Int
    private var rows: [UsageRow] = []
    private var gates: [Gate] = []
    private var isWriting = false
    /// Opens when there are enough rows.
    private let company = Gate()
    private var lastWrite = Loop.now - 1_000_000

    init(_ spool: Spool, running: @escaping @LoopActor () -> Int) {
        self.spool = spool
        self.running = running
    }

    /// Returns when the row is stored, or could not be.
    func add(_ row: UsageRow) async {
        let gate = Gate()
        rows.append(row)
        gates.append(gate)
        if isWriting {
            if hasEnough { company.open() }
        } else {
            isWriting = true
            spawn { [self] in await write() }
        }
        try? await gate.pass()
    }

    /// When most of what runs has its row here, few are left to come: a lone request never waits.
    private var hasEnough: Bool { rows.count >= min(Self.enough, running() * 3 / 4) }

    private func write() async {
        while !rows.isEmpty {
            await gather()
            let (batch, waiting) = (rows, gates)
            (rows, gates) = ([], [])
            _ = await spool.store(.usage(batch))
            lastWrite = Loop.now
            for gate in waiting { gate.open() }
        }
        isWriting = false
    }

    /// Waits for company, if there was a row only a moment ago and so may soon be another.
    private func gather() async {
        guard !hasEnough, Loop.now - lastWrite < Self.patience else { return }
        let timer = Loop.after(milliseconds: Self.patience) { [company] in company.open() }
        defer { timer.cancel() }
        repeat { try? await company.pass() } while !hasEnough && timer.isPending
    }
}
