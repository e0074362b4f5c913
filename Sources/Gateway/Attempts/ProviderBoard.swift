internal import Crypto
internal import EventLoop
internal import System

/// What the workers of a host share about providers: memory with a row for each of them, of a key, its circuit, and how
/// many of its calls each worker has under way. A row is its provider's as long as the master lives, whatever workers
/// come and go.
@LoopActor
struct ProviderBoard {
    /// Where something of one provider stands.
    @LoopActor struct Row {
        let words: SharedWords
        fileprivate let number: Int

        /// The word of its circuit.
        var circuit: Int { firstCircuit + number }

        /// The word of the calls of the worker in this column.
        func calls(in column: Int) -> Int {
            firstCall + number * columns + min(max(0, column), columns - 1)
        }

        /// The words of its calls, as far as any worker has one.
        var calls: Range<Int> {
            let start = calls(in: 0)
            return start..<start + Int(min(words[columnsInUse], UInt64(columns)))
        }
    }

    nonisolated static let rows = 1024
    /// Workers that can be told apart, those that only finish what they have begun included.
    nonisolated static let columns = 512
    // The memory: how many columns were ever in use, all keys, all circuits, all calls. Only pages that are in use are
    // ever taken, so what is searched stands together.
    nonisolated fileprivate static let columnsInUse = 0
    nonisolated private static let firstKey = 1
    nonisolated fileprivate static let firstCircuit = firstKey + rows
    nonisolated fileprivate static let firstCall = firstCircuit + rows
    /// Words that it needs.
    nonisolated static let size = firstCall + rows * columns

    private let words: SharedWords

    /// The board behind the descriptor that the master has made.
    init(_ descriptor: Int32) throws(SystemError) {
        words = try SharedWords(descriptor, count: Self.size)
    }

    /// The row of this key; nil when the board is full.
    func row(of key: String) -> Row? {
        let digest = Self.digest(of: key)
        let start = Int(digest >> 1) % Self.rows
        for step in 0..<Self.rows {
            let number = (start + step) % Self.rows
            let index = Self.firstKey + number
            if words[index] == 0 { _ = words.replace(index, 0, by: digest) }
            if words[index] == digest { return Row(words: words, number: number) }
        }
        return nil
    }

    /// A column is to be used, or is not any more: what was counted there is of a worker that is dead.
    func clear(column: Int) {
        words.write(Self.columnsInUse, max(words[Self.columnsInUse], UInt64(max(0, column)) + 1))
        for number in 0..<Self.rows where words[Self.firstKey + number] != 0 {
            words.write(Row(words: words, number: number).calls(in: column), 0)
        }
    }

    /// The same in every process, and never zero.
    private static func digest(of key: String) -> UInt64 {
        SHA256.hash(Array(key.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }
}

/// What a worker sees of the board, and where it writes.
struct WorkerSeat {
    let board: ProviderBoard
    /// Nobody else's while the worker lives.
    let column: Int
}
