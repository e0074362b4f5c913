import Glibc

/// What the calling thread has worked, whatever else the machine does meanwhile.
package enum ProcessorTime {
    /// How long `body` works.
    package static func taken(by body: () throws -> Void) rethrows -> Duration {
        let start = now
        try body()
        return now - start
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
