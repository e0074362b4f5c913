internal import Glibc

/// A point in time as `timestamptz` has it: microseconds since 1970-01-01 00:00 UTC.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since the Unix epoch, UTC.
    package var microseconds: Int64

    /// From microseconds since the Unix epoch.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// From whole seconds since the Unix epoch.
    package init(seconds: Int) {
        self.init(
            microseconds: Int64(clamping: seconds.multipliedReportingOverflow(by: 1_000_000).0))
    }

    /// Whole seconds since the Unix epoch, as OpenAI's `created` wants them.
    package var seconds: Int {
        Int(microseconds.quotientAndRemainder(dividingBy: 1_000_000).quotient)
    }

    /// The wall clock (`clock_gettime`, `CLOCK_REALTIME`).
    package static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Later by so many seconds (negative: earlier).
    package func adding(seconds: Int) -> Timestamp {
        Timestamp(microseconds: microseconds &+ Int64(clamping: seconds) &* 1_000_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// PostgreSQL counts from 2000-01-01, 10,957 days after the Unix epoch.
    private static let serverEpoch: Int64 = 10_957 * 86_400 * 1_000_000

    /// The eight bytes of the binary format hold this, big-endian.
    var serverValue: Int64 {
        let (value, overflow) = microseconds.subtractingReportingOverflow(Self.serverEpoch)
        return overflow ? .min : value
    }

    /// `infinity` becomes the latest time that fits.
    init(serverValue: Int64) {
        let (value, overflow) = serverValue.addingReportingOverflow(Self.serverEpoch)
        self.init(microseconds: overflow ? .max : value)
    }
}
