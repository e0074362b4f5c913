internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store

/// Writes usage rows. Rows of requests that end at the same time go out in one statement, so that accounting costs
/// little under load and still is durable before a reply ends.
@LoopActor
final class UsageLedger {
    /// Milliseconds between two statements while requests end together.
    private static let gathering = 4

    private let pool: Pool
    private let log: Log
    private var rows: [UsageRow] = []
    private var gates: [Gate] = []
    private var isWriting = false

    init(_ pool: Pool, _ log: Log) {
        self.pool = pool
        self.log = log
    }

    /// Returns when the row is stored, or could not be.
    func add(_ row: UsageRow) async {
        let gate = Gate()
        rows.append(row)
        gates.append(gate)
        if !isWriting {
            isWriting = true
            spawn { [self] in await write() }
        }
        try? await gate.pass()
    }

    private func write() async {
        while !rows.isEmpty {
            let (batch, waiting) = (rows, gates)
            (rows, gates) = ([], [])
            do {
                try await Store.Usage.insert(batch, in: pool)
            } catch {
                log.event(
                    "usage_lost",
                    [
                        Member("rows", .integer(batch.count)),
                        Member("detail", .string(fullFace(of: error))),
                    ])
            }
            for gate in waiting { gate.open() }
            // Under load it pays to let a few more rows gather; a lone request never waits for company.
            if waiting.count > 1 { try? await Loop.sleep(milliseconds: Self.gathering) }
        }
        isWriting = false
    }
}
