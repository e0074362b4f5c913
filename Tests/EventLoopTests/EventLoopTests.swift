@testable import EventLoop
import Glibc
import Testing

@Suite("The event loop")
@LoopActor
struct EventLoopTests {
    @Test("lets a task pass a gate that was opened before it came")
    func openedBefore() async throws {
        let gate = Gate()
        gate.open()
        try await gate.pass()
    }

    @Test("wakes a waiting task in the order of events")
    func wakes() async throws {
        let gate = Gate()
        let done = Gate()
        var trace: [String] = []
        spawn {
            trace.append("waits")
            try? await gate.pass()
            trace.append("passed")
            done.open()
        }
        spawn {
            trace.append("opens")
            gate.open()
        }
        try await done.pass()
        #expect(trace == ["waits", "opens", "passed"])
    }

    @Test("ends a wait when its task is cancelled, also before it began")
    func cancellation() async throws {
        let done = Gate()
        var outcomes: [Bool] = []
        let gate = Gate()
        let task = spawn {
            for _ in 0..<2 {
                do {
                    try await gate.pass()
                    outcomes.append(false)
                } catch { outcomes.append(error is CancellationError) }
            }
            done.open()
        }
        Loop.after(milliseconds: 1) { task.cancel() }
        try await done.pass()
        #expect(outcomes == [true, true])
    }

    @Test("fires timers in the order of their deadlines and forgets cancelled ones")
    func timers() async throws {
        var fired: [Int] = []
        let done = Gate()
        var timers: [EventLoop.Timer] = []
        // Counted from one moment, and far apart: a stall while they are made does not change their order.
        let base = Loop.now
        for delay in [300, 50, 200, 100, 250, 150] {
            timers.append(
                Loop.after(milliseconds: Int(base - Loop.now) + delay) { fired.append(delay) })
        }
        timers[2].cancel()
        Loop.after(milliseconds: 400) { done.open() }
        try await done.pass()
        #expect(fired == [50, 100, 150, 250, 300])
    }

    @Test("fires each of thousands of timers once, never early, and no cancelled one")
    func manyTimers() async throws {
        var early = 0
        var count = 0
        let done = Gate()
        var timers: [EventLoop.Timer] = []
        for index in 0..<2000 {
            let delay = (index * 7919) % 50
            let due = Loop.now + Int64(delay)
            timers.append(
                Loop.after(milliseconds: delay) {
                    count += 1
                    if Loop.now < due { early += 1 }
                })
        }
        for index in stride(from: 0, to: 2000, by: 3) { timers[index].cancel() }
        Loop.after(milliseconds: 80) { done.open() }
        try await done.pass()
        #expect(count == 2000 - 667)
        #expect(early == 0)
    }

    @Test("tells a watcher that a descriptor is readable, and nothing after it is forgotten")
    func watching() async throws {
        final class Recorder: Watcher {
            var count = 0
            let gate = Gate()
            func ready(_ descriptor: Int32, _ readiness: Readiness) {
                count += 1
                var byte: UInt8 = 0
                _ = read(descriptor, &byte, 1)
                gate.open()
            }
        }
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let recorder = Recorder()
        try Loop.watch(ends[0], for: .readable, by: recorder)
        _ = write(ends[1], "ab", 2)
        try await recorder.gate.pass()
        try await recorder.gate.pass()
        Loop.forget(ends[0])
        _ = write(ends[1], "c", 1)
        try await Loop.sleep(milliseconds: 5)
        #expect(recorder.count == 2)
        close(ends[0])
        close(ends[1])
    }

    @Test("reports a descriptor that cannot be watched")
    func badDescriptor() {
        final class Nobody: Watcher {
            nonisolated init() {}
            func ready(_ descriptor: Int32, _ readiness: Readiness) {}
        }
        #expect(throws: SystemError.self) { try Loop.watch(-1, for: .readable, by: Nobody()) }
    }
}

@Suite("The moderation of wake-ups")
struct ModerationTests {
    private static func busy(_ perSecond: Int) -> Moderation {
        var moderation = Moderation()
        for millisecond in 1...200 {
            let pieces = millisecond * perSecond / 1000 - (millisecond - 1) * perSecond / 1000
            moderation.count(pieces, at: Int64(millisecond))
        }
        return moderation
    }

    @Test("pays only while thousands of pieces go out each second", arguments: [0, 400, 2900])
    func quiet(_ perSecond: Int) {
        #expect(!Self.busy(perSecond).pays(at: 201))
    }

    @Test("begins within a moment and ends with the crowd")
    func crowd() {
        let moderation = Self.busy(3100)
        #expect(moderation.pays(at: 201))
        #expect(!moderation.pays(at: 500))
    }
}
