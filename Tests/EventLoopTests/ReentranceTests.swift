import EventLoop
import Glibc
import Testing

@Suite("The event loop, changed while it turns")
@LoopActor
struct ReentranceTests {
    private final class Recorder: Watcher {
        var count = 0
        var act: @LoopActor () -> Void = {}

        func ready(_ descriptor: Int32, _ readiness: Readiness) {
            count += 1
            act()
        }
    }

    /// Forgets a descriptor when it goes.
    private final class Guardian: Watcher {
        let guarded: Int32
        let done: Gate

        init(_ guarded: Int32, _ done: Gate) {
            self.guarded = guarded
            self.done = done
        }

        isolated deinit {
            Loop.forget(guarded)
            done.open()
        }

        func ready(_ descriptor: Int32, _ readiness: Readiness) {
            Loop.forget(descriptor)
        }
    }

    @LoopActor
    private final class Timers {
        var timers: [EventLoop.Timer] = []
    }

    private static func makePipe() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test("gives no event of a closed descriptor to the next owner of its number")
    func reusedNumber() async throws {
        let (one, other, quiet) = (Self.makePipe(), Self.makePipe(), Self.makePipe())
        let done = Gate()
        let late = Recorder()
        /// The first of two that are ready in one batch takes the other's number away.
        func take(_ mine: Int32, _ others: Int32) -> Recorder {
            let recorder = Recorder()
            recorder.act = {
                Loop.forget(mine)
                Loop.forget(others)
                dup2(quiet.read, others)
                try? Loop.watch(others, for: .readable, by: late)
                done.open()
            }
            return recorder
        }
        try Loop.watch(one.read, for: .readable, by: take(one.read, other.read))
        try Loop.watch(other.read, for: .readable, by: take(other.read, one.read))
        write(one.write, "a", 1)
        write(other.write, "b", 1)
        try await done.pass()
        try await Loop.sleep(milliseconds: 5)
        #expect(late.count == 0)
        write(quiet.write, "c", 1)
        late.act = {
            Loop.forget(one.read)
            Loop.forget(other.read)
            done.open()
        }
        try await done.pass()
        #expect(late.count == 1)
        for pair in [one, other, quiet] {
            close(pair.read)
            close(pair.write)
        }
    }

    @Test("lets a watcher forget itself, and what it guards with it")
    func lastReference() async throws {
        let (one, other) = (Self.makePipe(), Self.makePipe())
        let done = Gate()
        let guarded = Recorder()
        try Loop.watch(other.read, for: .readable, by: guarded)
        try Loop.watch(one.read, for: .readable, by: Guardian(other.read, done))
        write(one.write, "a", 1)
        try await done.pass()
        write(other.write, "b", 1)
        try await Loop.sleep(milliseconds: 5)
        #expect(guarded.count == 0)
        for pair in [one, other] {
            close(pair.read)
            close(pair.write)
        }
    }

    @Test("lets events pass between a timer and the next one that it sets")
    func timersThatSetTimers() async throws {
        let pair = Self.makePipe()
        let done = Gate()
        var rounds = 0
        var roundsAtEvent: Int?
        func again() {
            rounds += 1
            if roundsAtEvent == nil, rounds < 10_000 {
                Loop.after(milliseconds: 0) { again() }
            } else {
                done.open()
            }
        }
        let recorder = Recorder()
        recorder.act = {
            roundsAtEvent = rounds
            Loop.forget(pair.read)
        }
        try Loop.watch(pair.read, for: .readable, by: recorder)
        write(pair.write, "a", 1)
        Loop.after(milliseconds: 0) { again() }
        try await done.pass()
        #expect(roundsAtEvent.map { $0 < 10 } == true)
        close(pair.read)
        close(pair.write)
    }

    @Test("fires no timer that another one of the same moment has cancelled, and each at most once")
    func timersThatCancelTimers() async throws {
        var fired: [Int] = []
        let all = Timers()
        let done = Gate()
        for index in 0..<3 {
            all.timers.append(
                Loop.after(milliseconds: 3) {
                    fired.append(index)
                    all.timers.forEach { $0.cancel() }
                })
        }
        Loop.after(milliseconds: 10) { done.open() }
        try await done.pass()
        #expect(fired.count == 1)
    }

    @Test("tells one of cancelled and opened, whichever came first, and loses nothing")
    func cancelledAndOpened() async throws {
        for cancelsFirst in [true, false] {
            let gate = Gate()
            let done = Gate()
            var outcome: Bool?
            let task = spawn {
                do {
                    try await gate.pass()
                    outcome = true
                } catch { outcome = false }
                done.open()
            }
            try await Loop.sleep(milliseconds: 1)
            if cancelsFirst { task.cancel() }
            gate.open()
            task.cancel()
            try await done.pass()
            #expect(outcome == !cancelsFirst)
            if cancelsFirst { try await gate.pass() }
        }
    }
}
