import EventLoop
import System
import Testing

@testable import Gateway

@Suite("The account of running requests") @LoopActor struct RunningRequestsTests {
    private static func memory() throws -> SharedWords {
        let descriptor = try SharedWords.make(count: RunningRequests.size)
        defer { Descriptor.close(descriptor) }
        return try SharedWords(descriptor, count: RunningRequests.size)
    }

    @Test("names what runs, the one whose code ran last first, and nothing that has ended")
    func order() throws {
        let memory = try Self.memory()
        let running = RunningRequests(memory)
        #expect(RunningRequests.ids(in: memory).isEmpty)
        let places = try ["one", "two", "three"].map { try #require(running.began($0)) }
        #expect(RunningRequests.ids(in: memory) == ["three", "two", "one"])
        running.works(places[0])
        running.ended(places[1])
        #expect(RunningRequests.ids(in: memory) == ["one", "three"])
        // A place that is used again keeps nothing of a longer id.
        let place = try #require(running.began(""))
        running.name(place, "4")
        #expect(RunningRequests.ids(in: memory) == ["4", "one", "three"])
        running.name(place, String(repeating: "a", count: 100))
        #expect(RunningRequests.ids(in: memory)[0] == String(repeating: "a", count: 64))
    }

    @Test("does without a place when all are taken")
    func full() throws {
        let memory = try Self.memory()
        let running = RunningRequests(memory)
        var places: [Int] = []
        while let place = running.began("x\(places.count)") { places.append(place) }
        #expect(places.count == RunningRequests.ids(in: memory).count)
        running.ended(places[7])
        #expect(running.began("last") == places[7])
        #expect(RunningRequests.ids(in: memory)[0] == "last")
    }
}
