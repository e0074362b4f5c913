import EventLoop
import Testing

@Suite("Tasks beside a task")
@LoopActor
struct TaskTests {
    private struct Failure: Error {}

    @Test("give what they return in time, or throw what they throw")
    func inTime() async throws {
        #expect(try await Loop.within(milliseconds: 10_000) { 7 } == 7)
        await #expect(throws: Failure.self) {
            try await Loop.within(milliseconds: 10_000) { throw Failure() }
        }
        #expect(try await undisturbed { 7 } == 7)
        await #expect(throws: Failure.self) { try await undisturbed { throw Failure() } }
    }

    @Test("are cancelled, and not waited for, when they take too long")
    func late() async throws {
        let (ended, never) = (Gate(), Gate())
        var isCancelled = false
        let result: Int? = try await Loop.within(milliseconds: 1) {
            do { try await never.pass() } catch { isCancelled = error is CancellationError }
            ended.open()
            return 7
        }
        #expect(result == nil)
        try await ended.pass()
        #expect(isCancelled)
    }

    @Test("end with their caller, if their time is limited")
    func cancelled() async throws {
        let (begun, ended, never) = (Gate(), Gate(), Gate())
        var isCancelled = false
        let caller = spawn {
            do {
                _ = try await Loop.within(milliseconds: 10_000) {
                    begun.open()
                    do { try await never.pass() } catch { ended.open() }
                }
            } catch { isCancelled = error is CancellationError }
        }
        try await begun.pass()
        caller.cancel()
        try await ended.pass()
        await caller.value
        #expect(isCancelled)
    }

    @Test("go on to their end without their caller, if they are to be undisturbed")
    func leftAlone() async throws {
        let (begun, further) = (Gate(), Gate())
        var result: Int?
        let caller = spawn {
            result = try? await undisturbed {
                begun.open()
                try await further.pass()
                return 7
            }
        }
        try await begun.pass()
        caller.cancel()
        further.open()
        await caller.value
        #expect(result == 7)
    }
}
