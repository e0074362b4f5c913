import EventLoop
import Foundation
import HTTP
import HTTPClient
import TestSupport
import Testing

@Suite("A provider that stalls")
@LoopActor struct DeadlineTests {
    private typealias Phase = ClientError.Phase

    let client = Client()

    /// Deadlines of which one is a second and the others are far.
    private func deadlines(_ phase: Phase) -> Deadlines {
        func seconds(_ other: Phase) -> Double { phase == other ? 1 : 8 }
        return Deadlines(
            connect: seconds(.connect), tls: seconds(.tls), firstByte: seconds(.firstByte),
            betweenBytes: seconds(.betweenBytes), total: seconds(.total))
    }

    /// The failure that a call ends with, and how many milliseconds after its start or, where that counts, its last
    /// byte.
    private func end(_ url: String, _ phase: Phase) async throws -> (ClientError.Kind?, Int) {
        var began = Loop.now
        let transfer = try client.start(
            Call(method: .get, url: url, deadlines: deadlines(phase)))
        defer { transfer.close() }
        let found = await failure {
            while try await transfer.next() != nil {
                if phase == .betweenBytes { began = Loop.now }
            }
        }
        return (found, Int(Loop.now - began))
    }

    /// A server that says this and no more.
    private func server(_ reply: String) throws -> LoopbackServer {
        try LoopbackServer { connection in
            if !reply.isEmpty { _ = try connection.request() }
            try connection.send(reply)
            connection.waitForClose()
        }
    }

    /// Makes so many calls at once that succeed, so that the next ones are made on handles that were used.
    private func useHandles(_ count: Int) async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        defer { server.stop() }
        let transfers = try (0..<count).map { _ in
            try client.start(Call(method: .get, url: server.url))
        }
        for transfer in transfers {
            #expect(text(try await transfer.body(limit: 2)) == "ok")
            transfer.close()
        }
    }

    private static let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"

    @Test("B18: in any phase runs into that phase's deadline, and none other, in time")
    func everyPhase() async throws {
        let full = try DeafServer(isFull: true)
        let silent = try server("")
        let stalls: [(name: String, url: String, Phase)] = [
            ("connect", "http://127.0.0.1:\(full.port)/", .connect),
            ("connect, for TLS", "https://127.0.0.1:\(full.port)/", .connect),
            ("name", "http://silent.test/", .connect),
            ("TLS", "https://127.0.0.1:\(silent.port)/", .tls),
            ("head", silent.url, .firstByte),
            ("half a head", try server("HTTP/1.1 200 OK\r\nA: ").url, .firstByte),
            ("first byte", try server(Self.head).url, .firstByte),
            ("between bytes", try server(Self.head + "abc").url, .betweenBytes),
            (
                "between chunks",
                try server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").url,
                .betweenBytes
            ),
            ("all", silent.url, .total), ("TLS, all", "https://127.0.0.1:\(silent.port)/", .total),
        ]
        try await useHandles(stalls.count)
        let tasks = stalls.map { stall in
            Task { @LoopActor in try await end(stall.url, stall.2) }
        }
        for (stall, task) in zip(stalls, tasks) {
            let (found, took) = try await task.value
            print("figure: stall in \(stall.name): deadline 1000 ms, fired after \(took) ms")
            #expect(found == .timedOut(stall.2), "\(stall.name)")
            // This deadline and none of the others, which are of eight seconds. Of the last byte we hear a little late.
            #expect((900..<7000).contains(took), "\(stall.name): \(took) ms")
        }
        withExtendedLifetime(full) {}
    }

    @Test(
        "B18: during TLS has that deadline for itself, shorter or longer than the one to connect",
        arguments: [(connect: 8, tls: 0.3), (connect: 0.2, tls: 1.7)])
    func ownDeadline(connect: Double, tls: Double) async throws {
        let silent = try server("")
        let began = Loop.now
        let call = Call(
            method: .get, url: "https://127.0.0.1:\(silent.port)/",
            deadlines: Deadlines(
                connect: connect, tls: tls, firstByte: 8, betweenBytes: 8, total: 8))
        let transfer = try client.start(call)
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.head() } == .timedOut(.tls))
        let due = Int64(tls * 1000)
        #expect((due - 5..<7000).contains(Loop.now - began))
        #expect(try await waitUntil { silent.closed.value == 1 })
    }

    @Test("B18: in taking a long question is connected all the same")
    func longQuestion() async throws {
        let server = try LoopbackServer { connection in
            usleep(900_000)
            let (_, body) = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\(body.count)")
            connection.waitForClose()
        }
        let call = Call(
            method: .post, url: server.url, body: [UInt8](repeating: 0x61, count: 20_000_000),
            deadlines: Deadlines(connect: 0.3, firstByte: 20, betweenBytes: 20, total: 20))
        let transfer = try client.start(call)
        defer { transfer.close() }
        #expect(text(try await transfer.body(limit: 8)) == "20000000")
    }

    @Test("B18: before it closes is not waited for longer than the caller wants")
    func expectedEnd() async throws {
        let stalls = try server(Self.head + "abc")
        let began = Loop.now
        let transfer = try client.start(Call(method: .get, url: stalls.url))
        defer { transfer.close() }
        #expect(text(try await transfer.next()) == "abc")
        transfer.expectEnd(within: 300)
        #expect(await failure { _ = try await transfer.next() } == .timedOut(.total))
        #expect((295..<7000).contains(Loop.now - began))
        #expect(try await waitUntil { stalls.closed.value == 1 })
    }

    @Test(
        "B21: a DNS server that is dead does not hold the loop, nor other calls, nor the end of its own"
    )
    func deadNames() async throws {
        let server = try LoopbackServer { connection in
            while true {
                _ = try connection.request()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        var ended = 0
        let lookUps = (0..<20).map { number in
            Task { @LoopActor in
                defer { ended += 1 }
                return try await end("http://host-\(number).silent.test/", .connect)
            }
        }
        var slowest: Int64 = 0
        var answers = 0
        while ended == 0 {
            let began = Loop.now
            let transfer = try client.start(Call(method: .get, url: server.url))
            if text(try await transfer.body(limit: 2)) == "ok" { answers += 1 }
            transfer.close()
            try await Loop.sleep(milliseconds: 5)
            slowest = max(slowest, Loop.now - began - 5)
        }
        for lookUp in lookUps {
            let (found, took) = try await lookUp.value
            #expect(found == .timedOut(.connect))
            #expect((995..<7000).contains(took))
        }
        print("figure: 20 look-ups hang, slowest of \(answers) other calls \(slowest) ms")
        // A loop that a name holds has one at the most.
        #expect(answers > 5)
    }
}
