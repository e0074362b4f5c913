import EventLoop
import Foundation
import FuzzTargets
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Hostile FastCGI at a worker's socket") @LoopActor struct HostileRecords {
        @Test(
            "E1: Workers survive every connection of the fuzzer's corpus, whole and cut, and are idle after it"
        )
        func corpus() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                // What later requests share is made at some time in each worker; what leaks grows each time.
                var (before, isFlat) = ([0, 0], false)
                for _ in 0..<10 where !isFlat {
                    try await Self.send(to: site.socket)
                    #expect(site.workers == workers)
                    let after = await settled { site.descriptors() }
                    isFlat = zip(after, before).allSatisfy { $0 <= $1 }
                    before = after
                }
                #expect(isFlat, "\(before)")
                let used = workers.map(ProcessFigures.processorTime)
                try await Loop.sleep(milliseconds: 1000)
                // Each worker says each second that it lives.
                let times = zip(workers.map(ProcessFigures.processorTime), used).map { $0 - $1 }
                figure("workers took \(times) ms of an idle second after it")
                #expect(times.allSatisfy { $0 <= 50 })
                let began = microseconds()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                figure("answered \((microseconds() - began) / 1000) ms after it was asked again")
            }
        }

        /// Sends every connection of the corpus, whole and cut, all at once.
        private static func send(to socket: String) async throws {
            let entries = try FuzzTarget.records.corpus.entries
            _ = try await concurrently(entries.count) { number in
                let bytes = Array(entries[number].bytes.dropFirst())
                for length in [bytes.count, bytes.count - 3, bytes.count / 2, 11] {
                    let client = try FastCGIClient(socket)
                    await client.send(Array(bytes.prefix(max(0, length))))
                    _ = await client.read(seconds: 1) { _ in length < bytes.count }
                    client.close()
                }
            }
        }
    }
}
