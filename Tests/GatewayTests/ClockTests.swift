import EventLoop
import Foundation
import Testing

/// A clock that an operator, NTP or a leap second moves must move nothing else. No test may set the clock of the
/// machine that it runs on, so this one looks at who reads it.
@Suite("Clocks")
struct ClockTests {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

    /// Who may ask for the time of day, and why: what is stored, shown or expires has a date.
    private static let readers: [String: String] = [
        "PostgreSQL/Timestamp.swift": "the only one who asks the system"
    ]

    private static func files() throws -> [(name: String, text: String)] {
        try FileManager.default.subpathsOfDirectory(atPath: sources.path)
            .filter { $0.hasSuffix(".swift") || $0.hasSuffix(".h") }
            .map { name in
                let url = sources.appending(path: name)
                return (name, try String(contentsOf: url, encoding: .utf8))
            }
    }

    @Test("A10: One file asks the system for the time of day")
    func timeOfDay() throws {
        let calls =
            #/\b(CLOCK_REALTIME|gettimeofday|clock_gettime|time\(nil|timespec_get|Date\(|localtime)/#
        var found: Set<String> = []
        for (name, text) in try Self.files() {
            for match in text.matches(of: calls) {
                let line = text[match.range.lowerBound...].prefix { $0 != "\n" }
                if !line.contains("CLOCK_MONOTONIC") { found.insert(name) }
            }
        }
        #expect(found == Set(Self.readers.keys))
    }

    @Test("A10: No deadline, timer, limit of time or measured duration is made of the time of day")
    func durations() throws {
        // Whatever waits does so by the loop, whose clock is monotonic; and nobody subtracts dates.
        let arithmetic = #/Timestamp\.now\s*[-+<>]|[-+]\s*Timestamp\.now|\.now\.seconds\s*[-+]/#
        for (name, text) in try Self.files() {
            #expect(text.firstMatch(of: arithmetic) == nil, "\(name)")
        }
        let loop = try #require(try Self.files().first { $0.name == "EventLoop/Loop.swift" })
        #expect(loop.text.contains("clock_gettime(CLOCK_MONOTONIC"))
    }

    @Test("A10: The loop's clock is the system's monotonic one, which nobody can set")
    func loopClock() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let before = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        let now = Loop.now
        clock_gettime(CLOCK_MONOTONIC, &time)
        let after = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        #expect((before...after).contains(now))
    }
}
