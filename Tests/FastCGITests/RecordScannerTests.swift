import EventLoop
import FastCGI
import FuzzTargets
import TestSupport
import Testing

@Suite("The record scanner")
struct RecordScannerTests {
    private static let request = FastCGIRecords.request(
        "POST", "/a", [("HTTP_X", "y")], body: Array("hello".utf8), padding: 3)

    /// Offers `bytes` in pieces as a socket would: what was not taken comes again.
    static func feed(
        _ bytes: [UInt8], _ sizes: () -> Int
    ) throws(RecordScanner.Refusal) -> (scanner: RecordScanner, taken: Int) {
        var scanner = RecordScanner()
        var taken = 0
        var seen = 0
        while seen < bytes.count, !scanner.isComplete {
            seen = min(bytes.count, seen + max(1, sizes()))
            taken += try scanner.scan(bytes.span.extracting(taken..<seen))
        }
        return (scanner, taken)
    }

    private static func outcome(_ bytes: [UInt8]) -> String {
        do throws(RecordScanner.Refusal) {
            let (scanner, taken) = try feed(bytes) { bytes.count }
            return scanner.isComplete ? "complete \(taken)" : "incomplete"
        } catch {
            return switch error {
            case .protocolError: "protocol"
            case .aborted: "aborted"
            case .parametersTooLarge: "too large"
            }
        }
    }

    @Test("takes everything but the last record, however the bytes arrive")
    func pieces() throws {
        for size in 1...Self.request.count {
            let (scanner, taken) = try Self.feed(Self.request) { size }
            #expect(scanner.isComplete)
            #expect(taken == Self.request.count - 8)
            #expect(scanner.bodyLength == 5)
            #expect(scanner.hasParameters)
        }
    }

    @Test("waits at every truncation, and is not complete before the last header is whole")
    func truncations() throws {
        for length in 0..<Self.request.count {
            let (scanner, taken) = try Self.feed(Array(Self.request[..<length])) { length }
            #expect(!scanner.isComplete)
            #expect(taken <= length)
        }
    }

    @Test(
        "accepts each type of record only where it belongs",
        arguments: FastCGIRecords.Kind.allCases)
    func types(_ kind: FastCGIRecords.Kind) {
        let begin = FastCGIRecords.begin()
        let parameters = FastCGIRecords.stream(.parameters, FastCGIRecords.pairs([("A", "b")]))
        let content = kind == .begin ? [UInt8](repeating: 0, count: 8) : Array("\u{1}\u{1}Ab".utf8)
        let record = FastCGIRecords.record(kind, content)
        let places = [record, begin + record, begin + parameters + record].map(Self.outcome)
        switch kind {
        case .begin: #expect(places == ["incomplete", "protocol", "protocol"])
        case .parameters: #expect(places == ["protocol", "incomplete", "protocol"])
        case .stdin: #expect(places == ["protocol", "protocol", "incomplete"])
        case .abort: #expect(places == ["aborted", "aborted", "aborted"])
        default: #expect(places == ["protocol", "protocol", "protocol"])
        }
    }

    @Test("refuses other versions, unknown types, several requests and the request id 0")
    func identity() {
        var version = Self.request
        version[0] = 2
        #expect(Self.outcome(version) == "protocol")
        var type = Self.request
        type[1] = 77
        #expect(Self.outcome(type) == "protocol")
        #expect(Self.outcome(FastCGIRecords.begin(id: 0)) == "protocol")
        let other = FastCGIRecords.record(.parameters, [], id: 2)
        #expect(Self.outcome(FastCGIRecords.begin(id: 1) + other) == "protocol")
        #expect(Self.outcome(FastCGIRecords.begin(id: 0xFFFF)) == "incomplete")
        #expect(Self.outcome(FastCGIRecords.record(.begin, [0, 1])) == "protocol")
    }

    @Test("follows records of every length and padding", arguments: [0, 1, 7, 8, 255])
    func lengths(_ padding: Int) throws {
        for length in [1, 7, 8, 255, 256, 65_535] {
            let content = [UInt8](repeating: 1, count: length)
            let bytes =
                FastCGIRecords.begin() + FastCGIRecords.record(.parameters)
                + FastCGIRecords.record(.stdin, content, padding: padding)
                + FastCGIRecords.record(.stdin)
            let (scanner, taken) = try Self.feed(bytes) { 1000 }
            #expect(scanner.isComplete)
            #expect(taken == bytes.count - 8)
            #expect(scanner.bodyLength == length)
        }
    }

    @Test("takes parameters up to the limit and refuses one byte more")
    func parameterLimit() {
        let limit = 256 * 1024
        func request(_ total: Int) -> [UInt8] {
            // Four bytes for the value's length, one for the name's, one for the name.
            let pairs = FastCGIRecords.pairs([("A", String(repeating: "x", count: total - 6))])
            return FastCGIRecords.begin() + FastCGIRecords.stream(.parameters, pairs)
                + FastCGIRecords.record(.stdin)
        }
        #expect(Self.outcome(request(limit)).hasPrefix("complete"))
        #expect(Self.outcome(request(limit + 1)) == "too large")
    }

    @Test("refuses lengths of names and values that libfcgi would allocate and never see")
    func pairLengths() {
        func outcome(_ content: [UInt8]) -> String {
            Self.outcome(
                FastCGIRecords.begin() + FastCGIRecords.stream(.parameters, content)
                    + FastCGIRecords.record(.stdin))
        }
        #expect(outcome([0xFF, 0xFF, 0xFF, 0xFF, 1]) == "too large")
        #expect(outcome([1, 0xFF, 0xFF, 0xFF, 0xFF, 0x41]) == "too large")
        #expect(outcome([1, 0x80, 0, 0, 1, 0x41, 0x42]).hasPrefix("complete"))
        for cut in [[1], [1, 1], [1, 1, 0x41], [0x80], [0x80, 0, 0], [1, 0x80, 0, 0]] as [[UInt8]] {
            #expect(outcome(cut) == "protocol")
        }
        #expect(outcome([0, 0]).hasPrefix("complete"))
    }

    @Test(
        "agrees with a reader of the specification about spoiled requests, and with libfcgi behind it"
    )
    @LoopActor
    func mutations() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<5_000 {
            var bytes = Self.request
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.remove(at: place)
                default: bytes.insert(bytes[place], at: place)
                }
            }
            let cut = UInt8.random(in: 0...255, using: &generator)
            let fault = FuzzTarget.records.fault(in: [cut] + bytes)
            #expect(fault == nil, "\(bytes)")
        }
    }
}
