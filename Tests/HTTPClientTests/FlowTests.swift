import EventLoop
import Foundation
import HTTP
import HTTPClient
import Testing

@Suite("The flow of a body")
@LoopActor struct FlowTests {
    let client = Client()

    @Test("stops at the provider while nobody reads, and loses nothing")
    func backPressure() async throws {
        let sent = Counter()
        let total = 40 << 20
        let pattern = (0..<200_000).map { UInt8($0 % 251) }
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            for start in stride(from: 0, to: total, by: 65536) {
                try connection.send(Array(pattern[(start % 251)...].prefix(65536)))
                sent.add(65536)
            }
            connection.waitForClose()
        }
        // A pause of our own is not the provider's silence.
        let deadlines = Deadlines(connect: 30, firstByte: 30, betweenBytes: 1, total: 600)
        let transfer = try client.start(Call(method: .get, url: server.url, deadlines: deadlines))
        defer { transfer.close() }
        _ = try await transfer.head()
        let began = Loop.now
        var last = -1
        while last != sent.value || Loop.now - began < 1500 {
            last = sent.value
            try await Loop.sleep(milliseconds: 400)
        }
        #expect(last < 16 << 20)
        var received = 0
        while let piece = try await transfer.next() {
            #expect(piece.count <= 96 << 10)
            let expected = pattern[(received % 251)...].prefix(piece.count)
            let isSame = expected.withUnsafeBytes { left in
                piece.withUnsafeBytes { left.elementsEqual($0) }
            }
            #expect(isSame && expected.count == piece.count)
            received += piece.count
        }
        #expect(received == total)
    }

    @Test("ends at the provider when the transfer is closed")
    func close() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            connection.waitForClose()
        }
        let transfer = try client.start(Call(method: .get, url: server.url))
        _ = try await transfer.next()
        transfer.close()
        transfer.close()
        #expect(try await waitUntil { server.closed.value == 1 })
        #expect(await failure { _ = try await transfer.next() } == .disconnected)
    }

    @Test(
        "ends at the provider when the reading task is cancelled, in any phase",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        ], [true, false])
    func cancel(reply: String, flows: Bool) async throws {
        let asked = Counter()
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send(reply)
            asked.add()
            connection.waitForClose()
        }
        let cancelled = Counter()
        let task = spawn {
            guard let transfer = try? client.start(Call(method: .get, url: server.url)) else {
                return
            }
            defer { transfer.close() }
            do {
                _ = try await transfer.head()
                if flows {
                    _ = try await transfer.flow { _ in true }
                } else {
                    while try await transfer.next() != nil {}
                }
            } catch is CancellationError {
                cancelled.add()
            } catch {}
        }
        #expect(try await waitUntil { asked.value == 1 })
        task.cancel()
        await task.value
        #expect(cancelled.value == 1)
        #expect(try await waitUntil { server.closed.value == 1 })
    }

    @Test("of one paused transfer does not hold another one up")
    func independent() async throws {
        let server = try LoopbackServer { connection in
            let (head, _) = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
            let count = head.hasPrefix("GET /big") ? 4_000_000 : 10
            try connection.send([UInt8](repeating: 0x61, count: count))
            connection.waitForClose()
        }
        let paused = try client.start(Call(method: .get, url: server.url + "/big"))
        defer { paused.close() }
        _ = try await paused.next()
        for _ in 0..<20 {
            let other = try client.start(Call(method: .get, url: server.url + "/small"))
            defer { other.close() }
            #expect(try await other.next()?.count == 10)
        }
        // Nor do the others take its connection for one that nobody uses.
        var count = 0
        while count < 3_900_000, let piece = try await paused.next() { count += piece.count }
        #expect(count >= 3_900_000)
    }
}
