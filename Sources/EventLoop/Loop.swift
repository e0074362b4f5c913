internal import CLinux
internal import Glibc

/// What a descriptor is ready for, or what a watcher asks about.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// `EPOLLIN`
    package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// `EPOLLOUT`
    package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// `EPOLLRDHUP` or `EPOLLHUP`: the other side has gone, or will send no more.
    package static let hangUp = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue)
    /// `EPOLLERR`
    package static let failed = Readiness(rawValue: EPOLLERR.rawValue)
    /// `EPOLLEXCLUSIVE`: of the processes that watch the same socket wake one. A question, never an answer.
    package static let exclusive = Readiness(rawValue: EPOLLEXCLUSIVE.rawValue)
    /// `EPOLLET`: tell changes only. A question, never an answer.
    package static let edgeTriggered = Readiness(rawValue: EPOLLET.rawValue)

    // Asked for every event; the general operations of a set cost more than all else in this file.

    /// A read would not wait: there are bytes, an end, or an error.
    package var mayRead: Bool {
        rawValue & (EPOLLIN.rawValue | Self.gone) != 0
    }

    /// A write would not wait.
    package var mayWrite: Bool { rawValue & EPOLLOUT.rawValue != 0 }

    /// The other side has gone, or the descriptor has failed.
    package var isGone: Bool { rawValue & Self.gone != 0 }

    private static let gone = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
}

/// Who is told that a descriptor is ready.
@LoopActor
package protocol Watcher: AnyObject {
    /// Called on the loop, never from inside a call of the watcher's own. May forget or close any descriptor.
    func ready(_ descriptor: Int32, _ readiness: Readiness)
}

/// The event loop of this process: `epoll`, timers, and the jobs of `LoopExecutor`.
@LoopActor
package enum Loop {
    private struct Registration {
        var watcher: any Watcher
        /// Tells an event of this registration from one of an earlier owner of the same descriptor number.
        var number: UInt32
    }

    private static let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    private static var registrations: [Registration?] = []
    private static var count: UInt32 = 0
    static var timers = TimerQueue()
    private static var moderation = Moderation()
    private static var lastSteps: [@LoopActor () -> Void] = []
    /// Counts the turns of the loop.
    private static var turn: UInt64 = 0
    private static let batch = 512

    /// Monotonic time in milliseconds (`CLOCK_MONOTONIC`). Never runs backwards; its zero means nothing.
    package nonisolated static var now: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Begins to watch a descriptor (`EPOLL_CTL_ADD`) and keeps the watcher alive until `forget`.
    package static func watch(
        _ watched: Int32, for readiness: Readiness, by watcher: any Watcher
    ) throws(SystemError) {
        guard watched >= 0 else { throw SystemError(call: "epoll_ctl", code: EBADF) }
        count &+= 1
        try control(EPOLL_CTL_ADD, watched, readiness, number: count)
        let index = Int(watched)
        while registrations.count <= index { registrations.append(nil) }
        registrations[index] = Registration(watcher: watcher, number: count)
    }

    /// Changes what a watched descriptor is watched for (`EPOLL_CTL_MOD`).
    package static func rewatch(_ watched: Int32, for readiness: Readiness) throws(SystemError) {
        guard let registration = registration(watched) else {
            throw SystemError(call: "epoll_ctl", code: ENOENT)
        }
        try control(EPOLL_CTL_MOD, watched, readiness, number: registration.number)
    }

    /// Stops watching a descriptor (`EPOLL_CTL_DEL`). To be called before it is closed. Events of it that were already
    /// fetched are dropped.
    package static func forget(_ watched: Int32) {
        guard let forgotten = registration(watched) else { return }
        registrations[Int(watched)] = nil
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
        // Not while the table is being changed: the watcher's end may forget something too.
        withExtendedLifetime(forgotten) {}
    }

    /// Closes a descriptor, watched or not, of which there is no other copy: closing takes it from `epoll` too.
    package static func close(_ watched: Int32) {
        if let forgotten = registration(watched) {
            registrations[Int(watched)] = nil
            withExtendedLifetime(forgotten) {}
        }
        _ = Glibc.close(watched)
    }

    /// Runs `body` once, after at least that many milliseconds, unless the timer is cancelled.
    @discardableResult
    package static func after(
        milliseconds: Int, _ body: @escaping @LoopActor () -> Void
    ) -> Timer {
        let deadline = now + Int64(min(max(0, milliseconds), 1 << 50))
        let timer = Timer(deadline: deadline, turn: turn, body: body)
        timers.insert(timer)
        return timer
    }

    /// Runs `body` once, when all events and jobs of this turn are served: what they have to send can go out together.
    package static func atEndOfTurn(_ body: @escaping @LoopActor () -> Void) {
        lastSteps.append(body)
    }

    /// Tells that so many pieces of streams went out in this turn. When they are many, the loop moderates its wake-ups.
    package static func sent(pieces: Int) {
        moderation.count(pieces, at: now)
    }

    /// Suspends the calling task for at least that many milliseconds, or until it is cancelled.
    package static func sleep(milliseconds: Int) async throws {
        let gate = Gate()
        let timer = after(milliseconds: milliseconds) { gate.open() }
        defer { timer.cancel() }
        try await gate.pass()
    }

    /// Makes the calling thread the loop and returns what `body` returns. To be called once, by `main`.
    package nonisolated static func run<Result: Sendable>(
        _ body: @escaping @LoopActor @Sendable () async -> Result
    ) -> Result? {
        guard LoopExecutor.shared.claim() else { return nil }
        return assumeOnLoop {
            let outcome = Outcome<Result>()
            start()
            spawn { outcome.result = await body() }
            while outcome.result == nil { step { outcome.result != nil } }
            return outcome.result
        }
    }

    /// Tests have no `main` of ours: the first job from another thread gives the loop a thread of its own.
    nonisolated static func startThread() {
        var thread = pthread_t()
        _ = unsafe pthread_create(
            &thread, nil,
            { _ in
                guard LoopExecutor.shared.claim() else { return nil }
                assumeOnLoop {
                    Loop.start()
                    while true { Loop.step() }
                }
                return nil
            }, nil)
    }

    private static func start() {
        try? watch(LoopExecutor.shared.wakeDescriptor, for: .readable, by: Inbox.shared)
        LoopExecutor.shared.adoptInbox()
    }

    /// One turn: jobs, then timers that are due, then what was put off to the turn's end, then a wait for events, each
    /// followed by the jobs it made.
    ///
    /// Before the wait it asks whether the jobs have finished what the loop runs for: nothing might ever wake it again.
    private static func step(isFinished: () -> Bool = { false }) {
        turn += 1
        let executor = LoopExecutor.shared
        executor.drain()
        while let timer = timers.popDue(at: now, before: turn) {
            timer.body()
            executor.drain()
        }
        while !lastSteps.isEmpty {
            let steps = lastSteps
            lastSteps = []
            for step in steps { step() }
            executor.drain()
        }
        if isFinished() { return }
        if moderation.pays(at: now) { Moderation.rest() }
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: batch) { events in
            let count = unsafe epoll_wait(
                descriptor, events.baseAddress, Int32(batch), timers.milliseconds(from: now))
            for index in 0..<max(0, Int(count)) {
                dispatch(tag: unsafe events[index].data.u64, unsafe events[index].events)
                executor.drain()
            }
        }
    }

    private static func dispatch(tag: UInt64, _ events: UInt32) {
        let watched = Int32(truncatingIfNeeded: tag & 0xffff_ffff)
        guard let registration = registration(watched),
            registration.number == UInt32(truncatingIfNeeded: tag >> 32)
        else { return }
        registration.watcher.ready(watched, Readiness(rawValue: events))
    }

    private static func registration(_ watched: Int32) -> Registration? {
        let index = Int(watched)
        return registrations.indices.contains(index) ? registrations[index] : nil
    }

    private static func control(
        _ operation: Int32, _ watched: Int32, _ readiness: Readiness, number: UInt32
    ) throws(SystemError) {
        var event = unsafe epoll_event()
        unsafe event.events = readiness.rawValue
        unsafe event.data.u64 = UInt64(number) << 32 | UInt64(UInt32(bitPattern: watched))
        guard unsafe epoll_ctl(descriptor, operation, watched, &event) == 0 else {
            throw .last("epoll_ctl")
        }
    }
}

/// Carries the result of `Loop.run`'s body to its frame.
@LoopActor
private final class Outcome<Result: Sendable> {
    var result: Result?

    nonisolated init() {}
}

/// Wakes the loop for jobs which other threads enqueued.
private final class Inbox: Watcher {
    static let shared = Inbox()

    nonisolated init() {}

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        LoopExecutor.shared.adoptInbox()
    }
}
