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
        fileprivate let first: Int

        fileprivate static let width = 2 + ProviderBoard.columns

        /// The word of its circuit.
        var circuit: Int { first + 1 }
        /// The words of its calls, as far as any worker has one.
        var calls: Range<Int> {
            let start = first + 2
            return start..<start
                + Int(min(words[ProviderBoard.inUse], UInt64(ProviderBoard.columns)))
        }

        /// The word of the calls of the worker in this column.
        func calls(in column: Int) -> Int { first + 2 + min(max(0, column), columns - 1) }
    }

    /// Workers that can be told apart, those that only finish what they have begun included.
    nonisolated static let columns = 512
    nonisolated static let rows = 1024
    /// The word that tells how many columns have ever been in use.
    nonisolated fileprivate static let inUse = 0
    /// Words that it needs. Memory is taken only for those that are in use.
    static let size = 1 + rows * Row.width

    private let words: SharedWords

    /// The board behind the descriptor that the master has made.
    init(_ descriptor: Int32) throws(SystemError) {
        words = try SharedWords(descriptor, count: Self.size)
    }

    /// The row of this key; nil when the board is full.
    func row(of key: String) -> Row? {
        let number = Self.number(of: key)
        let start = Int(number >> 1) % Self.rows
        for step in 0..<Self.rows {
            let first = 1 + (start + step) % Self.rows * Row.width
            if words[first] == 0 { _ = words.replace(first, 0, by: number) }
            if words[first] == number { return Row(words: words, first: first) }
        }
        return nil
    }

    /// A column is to be used, or is not any more: what was counted there is of a worker that is dead.
    func clear(column: Int) {
        let used = words[Self.inUse]
        if used <= column { _ = words.replace(Self.inUse, used, by: UInt64(column) + 1) }
        for first in stride(from: 1, to: Self.size, by: Row.width) where words[first] != 0 {
            let index = Row(words: words, first: first).calls(in: column)
            _ = words.replace(index, words[index], by: 0)
        }
    }

    /// The same in every process, and never zero.
    private static func number(of key: String) -> UInt64 {
        SHA256.hash(Array(key.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }
}

/// What a worker sees of the board, and where it writes.
struct WorkerSeat {
    let board: ProviderBoard
    /// Nobody else's while the worker lives.
    let column: Int
}
