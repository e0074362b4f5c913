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
        var gaps = 0
        let listener = NotificationListener(
            conninfo: conninfo, channels: ["one", "two"], onGap: { gaps += 1 },
            onNotification: { heard.append("\($0) \($1)") })
        #expect(await waitUntil { listener.isListening })
        #expect(gaps == 1)
        try await server.sql("NOTIFY one, 'a'; NOTIFY three, 'b'; NOTIFY two", database: "test_1")
        #expect(await waitUntil { heard.count >= 2 })
        #expect(heard == ["one a", "two "])

        try await server.stop()
        #expect(await waitUntil { !listener.isListening })
        try await server.start()
        #expect(await waitUntil { listener.isListening })
        #expect(gaps == 2)
        try await server.sql("NOTIFY one, 'again'", database: "test_1")
        #expect(await waitUntil { heard.last == "one again" })

        listener.close()
        #expect(!listener.isListening)
        try await server.stop()
    }
}
