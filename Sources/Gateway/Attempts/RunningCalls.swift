internal import EventLoop
internal import System

/// The calls of one provider that run at the same time, counted in memory that the workers of a host share. Each worker
/// writes its own count only, so that the count of a dead one can be struck out; what runs is their sum.
@LoopActor
final class RunningCalls {
    /// Looks at the sum before a place that others take and give back at the same moment is not waited for.
    private static let looks = 8

    private let limit: UInt64
    private let row: ProviderBoard.Row
    private let own: Int

    /// Counts in the provider's row and the worker's column.
    init(limit: Int, in row: ProviderBoard.Row, column: Int) {
        self.limit = UInt64(max(0, limit))
        self.row = row
        own = row.calls(in: column)
    }

    /// Counts another call; false, with nothing counted, when as many run as may. Of several workers that ask at the
    /// same moment never too many get a place: each counts itself first and looks then.
    func enter() -> Bool {
        for _ in 0..<Self.looks {
            add(1)
            if sum <= limit { return true }
            leave()
            if sum >= limit { return false }
        }
        return false
    }

    /// A call has ended.
    func leave() {
        guard row.words[own] > 0 else { return }
        add(-1)
    }

    private var sum: UInt64 {
        row.calls.reduce(0) { $0 &+ row.words[$1] }
    }

    /// Nobody else writes there while this worker lives.
    private func add(_ difference: Int64) {
        let count = row.words[own]
        row.words.write(own, count &+ UInt64(bitPattern: difference))
    }
}
