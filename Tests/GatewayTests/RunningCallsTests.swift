import EventLoop
import System
import TestSupport
import Testing

@testable import Gateway

@Suite("What the workers of a host share about providers")
@LoopActor
struct RunningCallsTests {
    /// The same memory as two workers see it.
    private static func boards() throws -> [ProviderBoard] {
        let descriptor = try SharedWords.make(count: ProviderBoard.size)
        defer { Descriptor.close(descriptor) }
        return [try ProviderBoard(descriptor), try ProviderBoard(descriptor)]
    }

    @Test("has a row for each of many providers, and none when all are taken")
    func rows() throws {
        let board = try Self.boards()[0]
        var words: Set<Int> = []
        for number in 0..<ProviderBoard.rows {
            words.insert(try #require(board.row(of: "\(number)")).circuit)
        }
        #expect(words.count == ProviderBoard.rows)
        #expect(board.row(of: "one more") == nil)
        #expect(board.row(of: "7")?.circuit == board.row(of: "7")?.circuit)
    }

    @Test(
        "lets as many calls run as may, whichever workers make them, and frees those of a dead one")
    func limit() throws {
        let boards = try Self.boards()
        let calls = try boards.enumerated().map { column, board in
            board.clear(column: column)
            let row = try #require(board.row(of: "a"))
            return RunningCalls(limit: 3, in: row, column: column)
        }
        #expect(calls[0].enter() && calls[0].enter() && calls[1].enter())
        #expect(!calls[0].enter() && !calls[1].enter())
        calls[1].leave()
        #expect(calls[0].enter() && !calls[1].enter())
        boards[1].clear(column: 0)
        #expect(calls[1].enter() && calls[1].enter() && calls[1].enter() && !calls[1].enter())
        // It may have been struck out too early; that frees no more than there were.
        for _ in 0..<5 { calls[0].leave() }
        #expect(!calls[1].enter())
        let stranger = try #require(boards[0].row(of: "b"))
        #expect(RunningCalls(limit: 1, in: stranger, column: 0).enter())
    }
}
