import EventLoop
import FuzzTargets
import Testing

@Suite("The fuzzer's targets")
@LoopActor
struct CorpusTests {
    @Test(
        "E1: hold for every input that a run begins with or has found",
        arguments: FuzzTarget.allCases)
    func corpus(_ target: FuzzTarget) throws {
        let entries = try target.corpus.entries
        #expect(entries.count > 10)
        #expect(Set(entries.map(\.name)).count == entries.count)
        for entry in entries {
            let fault = target.fault(in: entry.bytes)
            #expect(fault == nil, "\(entry.name)")
        }
    }

    @Test("hold for every input cut at every byte, and leave no descriptor behind")
    func cut() throws {
        // What requests share is made by the first of them.
        for entry in try FuzzTarget.records.corpus.entries {
            _ = FuzzTarget.records.fault(in: entry.bytes)
        }
        let before = RecordsTarget.lowestFreeDescriptor()
        for target in FuzzTarget.allCases {
            for entry in try target.corpus.entries {
                for length in entry.bytes.indices {
                    let fault = target.fault(in: Array(entry.bytes[..<length]))
                    #expect(fault == nil, "\(entry.name) cut at \(length)")
                }
            }
        }
        #expect(RecordsTarget.lowestFreeDescriptor() == before)
    }
}
