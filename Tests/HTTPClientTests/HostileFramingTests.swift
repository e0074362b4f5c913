import EventLoop
import Foundation
import HTTP
import HTTPClient
import Testing

@Suite("A provider whose framing lies")
@LoopActor struct HostileFramingTests {
    let client = Client()

    /// What a reply is read as: its body, or how it failed.
    private func reading(_ reply: String, closes: Bool = true) async throws -> String {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send(reply)
            if !closes { connection.waitForClose() }
        }
        defer { server.stop() }
        let deadlines = Deadlines(connect: 5, firstByte: 5, betweenBytes: 0.4, total: 8)
        let transfer = try client.start(
            Call(method: .get, url: server.url, deadlines: deadlines))
        defer { transfer.close() }
        do {
            return text(try await transfer.body(limit: 1 << 20)) ?? ""
        } catch let error as ClientError {
            return "\(error.kind)"
        }
    }

    @Test("B19: about its length gives as much as it says, or a failure, never more and never less")
    func lengths() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: "
        #expect(try await reading(head + "3\r\n\r\nabcdef") == "abc")
        #expect(try await reading(head + "3\r\n\r\nabcdef", closes: false) == "abc")
        #expect(try await reading(head + "9\r\n\r\nabc") == "disconnected")
        #expect(try await reading(head + "9\r\n\r\nabc", closes: false).hasPrefix("timedOut"))
        for length in ["-1", "3x", "0x3", "", "18446744073709551619", "3, 9"] {
            let found = try await reading(head + length + "\r\n\r\nabc")
            #expect(found == "badResponse" || found == "disconnected", "\(length): \(found)")
        }
    }

    @Test(
        "B19: about its chunks gives a failure, and never a body that looks whole",
        arguments: [
            "zz\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "3\r\nabcdef\r\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFFFF\r\nabc", "3\r\nabc", "3\r\nabc\r\n", "3\r\nabc\r\n0\r\n",
            "3\r\nabc\r\n0\r\nX: y", "\r\n\r\n", "3 3\r\nabc\r\nq\r\n\r\n", "",
        ])
    func chunks(body: String) async throws {
        let found = try await reading(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        #expect(["badResponse", "disconnected"].contains(found), "\(found)")
    }

    @Test("B19: in both ways at once is read by its chunks")
    func both() async throws {
        let reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try await reading(reply + "6\r\nabcdef\r\n0\r\n\r\n") == "abcdef")
    }

    @Test(
        "B19: by a head, a trailer or a chunk's extension without end is bounded in time and memory",
        arguments: [
            "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        ])
    func endless(start: String) async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send(start)
            let filler = start.hasSuffix(";") ? "xxxxxxxx" : "X-Field: 1\r\n"
            let flood = String(repeating: filler, count: 800)
            while true { try connection.send(flood) }
        }
        defer { server.stop() }
        let deadlines = Deadlines(connect: 5, firstByte: 1, betweenBytes: 1, total: 2)
        let transfer = try client.start(
            Call(method: .get, url: server.url, deadlines: deadlines))
        defer { transfer.close() }
        let found = await failure { _ = try await transfer.body(limit: 1 << 20) }
        let isBounded =
            found == .badResponse || found == .timedOut(.firstByte)
            || found == .timedOut(.betweenBytes)
        #expect(isBounded, "\(String(describing: found))")
        #expect(try await waitUntil { server.closed.value == 1 })
    }

    @Test(
        "B19: with a reply that nobody asked for does not answer the next call",
        arguments: ["together", "later", "at the last moment"])
    func unasked(when: String) async throws {
        let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        let turn = DispatchSemaphore(value: 0)
        let sent = Counter()
        let server = try LoopbackServer { connection in
            let (head, _) = try connection.request()
            let isFirst = head.hasPrefix("GET /first")
            let own = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown"
            try connection.send(isFirst && when == "together" ? own + evil : own)
            if isFirst, when != "together" {
                turn.wait()
                try connection.send(evil)
                sent.add()
            }
            while true {
                _ = try connection.request()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown")
            }
        }
        defer { server.stop() }
        for path in ["/first", "/second", "/third"] {
            let transfer = try client.start(Call(method: .get, url: server.url + path))
            defer { transfer.close() }
            #expect(text(try await transfer.body(limit: 10)) == "own", "\(path)")
            guard path == "/first", when != "together" else { continue }
            turn.signal()
            // Without a turn of the event loop in between nothing has told the client.
            let end = Loop.now + 10_000
            while when == "at the last moment", sent.value == 0, Loop.now < end {}
            #expect(try await waitUntil { sent.value == 1 })
        }
    }
}
