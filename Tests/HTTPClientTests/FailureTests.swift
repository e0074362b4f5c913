import EventLoop
import Foundation
import HTTP
import HTTPClient
import Testing

@Suite("A provider that fails")
@LoopActor struct FailureTests {
    let client = Client()

    private func get(_ server: LoopbackServer, _ deadlines: Deadlines = Deadlines()) throws
        -> Transfer
    {
        try client.start(Call(method: .get, url: server.url, deadlines: deadlines))
    }

    @Test(
        "with a body cut short is disconnected, after what came has been read",
        arguments: [
            "Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        ], [true, false])
    func cut(reply: String, resets: Bool) async throws {
        let gate = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\n" + reply)
            gate.wait()
            if resets { connection.reset() }
        }
        let transfer = try get(server)
        defer { transfer.close() }
        #expect(try await transfer.head().status == .ok)
        #expect(text(try await transfer.next()) == "abc")
        gate.signal()
        #expect(await failure { _ = try await transfer.next() } == .disconnected)
        #expect(await failure { _ = try await transfer.next() } == .disconnected)
    }

    @Test(
        "before its head is disconnected",
        arguments: ["", "HTTP/1.1 200 OK\r\nA: "], [true, false])
    func beforeHead(reply: String, resets: Bool) async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send(reply)
            if resets { connection.reset() }
        }
        let transfer = try get(server)
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.head() } == .disconnected)
        #expect(server.accepted.value == 1)
    }

    @Test("is not said to have failed as the call before did")
    func staleErrorNumber() async throws {
        func detail(_ url: String) async throws -> String {
            let transfer = try client.start(Call(method: .get, url: url))
            defer { transfer.close() }
            do { _ = try await transfer.head() } catch let error as ClientError {
                return error.debugDescription
            }
            return ""
        }
        let gone = try LoopbackServer { _ in }
        gone.stop()
        #expect(try await detail(gone.url).contains("errno \(ECONNREFUSED)"))
        let server = try LoopbackServer { connection in _ = try connection.request() }
        let second = try await detail(server.url)
        #expect(second.hasPrefix("disconnected") && !second.contains("errno"), "\(second)")
    }

    @Test("on a kept connection before any byte is disconnected, and does not get the call again")
    func keptBroken() async throws {
        let calls = Counter()
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try connection.request()
            calls.add()
        }
        let first = try get(server)
        defer { first.close() }
        #expect(text(try await first.body(limit: 2)) == "ok")
        let second = try get(server)
        defer { second.close() }
        #expect(await failure { _ = try await second.head() } == .disconnected)
        #expect(calls.value == 1)
        let third = try get(server)
        defer { third.close() }
        #expect(text(try await third.body(limit: 2)) == "ok")
        #expect(calls.value == 1)
    }

    @Test("to keep a connection that it has closed is noticed before the next call")
    func keptClosed() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        for round in 1...3 {
            let transfer = try get(server)
            defer { transfer.close() }
            #expect(text(try await transfer.body(limit: 2)) == "ok")
            #expect(try await waitUntil { server.closed.value == round })
        }
        #expect(server.accepted.value == 3)
    }

    @Test("to listen is unreachable")
    func refused() async throws {
        let server = try LoopbackServer { _ in }
        server.stop()
        let transfer = try get(server)
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.head() } == .unreachable)
    }

    @Test("to have an address is unreachable")
    func unknownName() async throws {
        let transfer = try client.start(Call(method: .get, url: "http://nowhere.invalid/"))
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.head() } == .unreachable)
    }

    @Test("to speak TLS is a TLS failure")
    func plainText() async throws {
        let server = try LoopbackServer { connection in
            try connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForClose()
        }
        let transfer = try client.start(
            Call(method: .get, url: "https://127.0.0.1:\(server.port)/"))
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.head() } == .tls)
    }

    @Test(
        "B19: to speak HTTP is a bad response",
        arguments: [
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "<html></html>\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 20_000),
            "HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 200_000),
            String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 10_000),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
            "{\"choices\":[]}",  // HTTP/0.9
        ])
    func garbage(reply: String) async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send(reply)
            connection.waitForClose()
        }
        let transfer = try get(server)
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.body(limit: 10) } == .badResponse)
    }

    @Test("by sending more than the limit is too large")
    func tooLarge() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901")
        }
        let transfer = try get(server)
        defer { transfer.close() }
        #expect(await failure { _ = try await transfer.body(limit: 10) } == .tooLarge)
    }

    @Test("B18: by never ending runs into the total deadline, however steady it drips")
    func total() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while true {
                try connection.chunk("x")
                usleep(10_000)
            }
        }
        let deadlines = Deadlines(connect: 30, firstByte: 30, betweenBytes: 30, total: 1)
        let began = Loop.now
        let transfer = try get(server, deadlines)
        defer { transfer.close() }
        let found = await failure { while try await transfer.next() != nil {} }
        #expect(found == .timedOut(.total))
        #expect(Loop.now - began >= 995)
    }
}

@Suite("A call")
@LoopActor struct CallTests {
    @Test(
        "that must not be sent is refused",
        arguments: [
            Call(method: .get, url: "http://127.0.0.1:1/", fields: ["A": "b\r\nC: d"]),
            Call(method: .get, url: "http://127.0.0.1:1/", fields: ["A b": "c"]),
            Call(method: .get, url: "http://127.0.0.1:1/", fields: ["content-length": "1"]),
            Call(method: .get, url: "http://127.0.0.1:1/a b"),
            Call(method: .get, url: "http://127.0.0.1:1/\r\nA: b"),
            Call(method: .get, url: "file:///etc/passwd"), Call(method: .get, url: ""),
            Call(method: .other("A B"), url: "http://127.0.0.1:1/"),
        ])
    func refused(call: Call) async throws {
        #expect(throws: ClientError.self) { _ = try Client().start(call) }
    }
}
