import FastCGI
import HTTPClient
import OpenAI
import Store
import Testing

@testable import Gateway

@Suite("How far a reply has come")
struct ProgressTests {
    private static let everyEnd: [Progress.End] = [.completed, .incomplete, .failed(502)]

    /// A reply with these steps behind it.
    private func progress(isOpen: Bool) -> Progress {
        var progress = Progress()
        if isOpen { progress.open(200) }
        return progress
    }

    @Test("begins without a status, and has that of its head once that goes out")
    func head() {
        var progress = Progress()
        #expect(progress.state == .waiting && progress.status == nil && progress.end == nil)
        progress.open(200)
        #expect(progress.state == .open && progress.status == 200 && progress.end == nil)
        progress.open(500)
        #expect(progress.state == .open && progress.status == 200)
    }

    @Test("ends from every state before its end", arguments: [false, true], everyEnd)
    func ends(isOpen: Bool, end: Progress.End) {
        var progress = progress(isOpen: isOpen)
        let isFirst = progress.end(end, callerHasLeft: false)
        #expect(isFirst && progress.end == end && progress.state == .ended(end))
    }

    @Test("ends once: neither another end nor a head changes it", arguments: everyEnd, everyEnd)
    func endsOnce(first: Progress.End, second: Progress.End) {
        for isOpen in [false, true] {
            var progress = progress(isOpen: isOpen)
            _ = progress.end(first, callerHasLeft: false)
            let ended = progress
            let isAnother = progress.end(second, callerHasLeft: true)
            #expect(!isAnother && progress == ended)
            progress.open(418)
            #expect(progress == ended)
        }
    }

    @Test("has the status that its caller got, or 499 where he had left before any")
    func status() {
        let expected: [(Progress.End, Int)] = [
            (.completed, 200), (.incomplete, 503), (.failed(502), 502),
        ]
        for (end, status) in expected {
            for (isOpen, hasLeft, wanted) in [
                (false, false, status), (false, true, 499), (true, false, 200), (true, true, 200),
            ] {
                var progress = progress(isOpen: isOpen)
                _ = progress.end(end, callerHasLeft: hasLeft)
                #expect(progress.status == wanted, "\(end) \(isOpen) \(hasLeft)")
            }
        }
    }

    @Test("knows a cut from a failure, and each by the ledger's word")
    func errors() {
        #expect(Progress.End(CancellationError()) == .incomplete)
        #expect(Progress.End(ReplyError.notOpen) == .incomplete)
        #expect(Progress.End(ClientError(.disconnected, "x")) == .failed(502))
        #expect(Progress.End(APIError.providerTimeout) == .failed(504))
        #expect(Self.everyEnd.map(\.ended) == [.completed, .incomplete, .failed])
    }
}
