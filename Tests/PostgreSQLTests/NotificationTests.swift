import EventLoop
import PostgreSQL
import TestSupport
import Testing

@Suite("A listener for notifications")
@LoopActor
struct NotificationTests {
    @Test("hears its channels, and says when it may have missed something")
    func listens() async throws {
        let server = try await TemporaryPostgreSQL.make()
        let conninfo = try await server.makeDatabase()
        var heard: [String] = []
        var (gaps, losses) = (0, 0)
        let sender = Pool(conninfo: conninfo, size: 1, statementTimeout: 2000)
        var events = NotificationListener.Events { heard.append("\($0) \($1)") }
        events.gap = { gaps += 1 }
        events.loss = { losses += 1 }
        let listener = NotificationListener(
            settings: try Settings(conninfo: conninfo, resolvesNames: false), sender: sender,
            channels: ["one", "two"], events: events)
        #expect(await waitUntil { listener.isListening })
        #expect(gaps == 1)
        try await server.sql("NOTIFY one, 'a'; NOTIFY three, 'b'; NOTIFY two", database: "test_1")
        #expect(await waitUntil { heard.count >= 2 })
        #expect(heard == ["one a", "two "])

        try await server.stop()
        #expect(await waitUntil { !listener.isListening })
        #expect(losses == 1)
        try await server.start()
        #expect(await waitUntil { listener.isListening })
        #expect(gaps == 2)
        try await server.sql("NOTIFY one, 'again'", database: "test_1")
        #expect(await waitUntil { heard.last == "one again" })

        listener.close()
        await sender.close()
        #expect(!listener.isListening)
        try await server.stop()
    }
}
