import EventLoop
import Foundation
import HTTP
import HTTPClient
import Synchronization
import Testing

/// Waits for `condition`, at most ten seconds.
@LoopActor func waitUntil(_ condition: () -> Bool) async throws -> Bool {
    let limit = Loop.now + 10_000
    while !condition() {
        guard Loop.now < limit else { return false }
        try await Loop.sleep(milliseconds: 1)
    }
    return true
}

func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

/// What `body` throws as a `ClientError`.
@LoopActor func failure(_ body: @LoopActor () async throws -> Void) async -> ClientError.Kind? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ClientError)?.kind
    }
}

@Suite("A call to a provider")
@LoopActor struct ClientTests {
    let client = Client()

    @Test("sends method, path, fields and body and brings the whole reply")
    func unary() async throws {
        let server = try LoopbackServer { connection in
            let (head, body) = try connection.request()
            try connection.send("HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a:2 \r\nContent-Length: ")
            let reply = head + "|" + (text(body) ?? "")
            try connection.send("\(reply.utf8.count)\r\n\r\n\(reply)")
        }
        let transfer = try client.start(
            Call(
                method: .post, url: server.url + "/v1/chat?q=1",
                fields: ["Content-Type": "application/json", "X-Empty": ""],
                body: Array("{\"a\":1}".utf8)))
        defer { transfer.close() }
        let head = try await transfer.head()
        #expect(head.status == 201)
        #expect(head.fields.values("x-a") == ["1", "2"])
        let reply = try #require(text(try await transfer.body(limit: 10_000)))
        let lines = reply.split(separator: "|")[0].split(separator: "\r\n").map(String.init)
        #expect(lines.first == "POST /v1/chat?q=1 HTTP/1.1")
        #expect(lines.contains("Content-Type: application/json"))
        #expect(lines.contains("X-Empty:"))
        #expect(lines.contains("Content-Length: 7"))
        for name in ["expect", "accept-encoding", "transfer-encoding", "user-agent"] {
            #expect(!reply.lowercased().contains("\r\n\(name):"))
        }
        #expect(reply.hasSuffix("|{\"a\":1}"))
    }

    @Test(
        "speaks every method, one after the other on one connection",
        arguments: [Method.get, .delete, .put, .patch, .post, .options, .head, .other("BREW")])
    func methods(method: HTTP.Method) async throws {
        let server = try LoopbackServer { connection in
            while true {
                let (head, body) = try connection.request()
                let reply = head.prefix { $0 != " " } + ":\(body.count)"
                let isHead = head.hasPrefix("HEAD")
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(reply.utf8.count)")
                try connection.send("\r\n\r\n" + (isHead ? "" : reply))
            }
        }
        for next in [method, .get, .post] {
            for body in [[], [UInt8](repeating: 0x61, count: 300_000)] {
                if next == .head, !body.isEmpty { continue }
                let transfer = try client.start(Call(method: next, url: server.url, body: body))
                defer { transfer.close() }
                let expected = next == .head ? "" : "\(next.name):\(body.count)"
                #expect(text(try await transfer.body(limit: 100)) == expected)
            }
        }
        #expect(server.accepted.value == 1)
    }

    @Test("hands a stream over piece by piece as it comes")
    func pieces() async throws {
        let turn = DispatchSemaphore(value: 0)
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for index in 0..<20 {
                turn.wait()
                try connection.chunk("piece \(index)")
            }
            try connection.send("0\r\nX-Trailer: 1\r\n\r\n")
            connection.waitForClose()
        }
        let transfer = try client.start(Call(method: .get, url: server.url))
        defer { transfer.close() }
        #expect(try await transfer.head().fields["x-trailer"] == nil)
        for index in 0..<20 {
            turn.signal()
            #expect(text(try await transfer.next()) == "piece \(index)")
        }
        #expect(try await transfer.next() == nil)
        #expect(try await transfer.next() == nil)
    }

    @Test("passes interim replies over")
    func interim() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            try connection.send("HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n")
            try connection.send("HTTP/1.1 404 Not Found\r\nB: 2\r\nContent-Length: 2\r\n\r\nno")
        }
        let transfer = try client.start(Call(method: .get, url: server.url))
        defer { transfer.close() }
        let head = try await transfer.head()
        #expect(head.status == .notFound)
        #expect(head.fields.map(\.name) == ["B", "Content-Length"])
        #expect(text(try await transfer.body(limit: 2)) == "no")
    }

    @Test("does not follow a redirect")
    func redirect() async throws {
        let server = try LoopbackServer { connection in
            while true {
                _ = try connection.request()
                try connection.send(
                    "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let transfer = try client.start(Call(method: .get, url: server.url))
        defer { transfer.close() }
        #expect(try await transfer.head().status == 302)
        #expect(try await transfer.next() == nil)
    }

    @Test("uses a connection again")
    func reuse() async throws {
        let server = try LoopbackServer { connection in
            while true {
                _ = try connection.request()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        for _ in 0..<50 {
            let transfer = try client.start(Call(method: .post, url: server.url, body: [1]))
            defer { transfer.close() }
            #expect(text(try await transfer.body(limit: 2)) == "ok")
        }
        #expect(server.accepted.value == 1)
    }

    @Test("finds a name without blocking the loop")
    func names() async throws {
        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let transfer = try client.start(
            Call(method: .get, url: "http://localhost:\(server.port)/"))
        defer { transfer.close() }
        #expect(text(try await transfer.body(limit: 2)) == "ok")
    }

    @Test("gives each of 200 concurrent transfers its own bytes")
    func concurrent() async throws {
        let server = try LoopbackServer { connection in
            while true {
                let (_, body) = try connection.request()
                let name = text(body) ?? ""
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for index in 0..<50 { try connection.chunk("\(name):\(index);") }
                try connection.send("0\r\n\r\n")
            }
        }
        let good = Counter()
        let tasks = (0..<200).map { number in
            spawn {
                let name = "stream-\(number)"
                let expected = (0..<50).map { "\(name):\($0);" }.joined()
                let call = Call(method: .post, url: server.url, body: Array(name.utf8))
                guard let transfer = try? client.start(call) else { return }
                defer { transfer.close() }
                if text(try? await transfer.body(limit: 100_000)) == expected { good.add() }
            }
        }
        for task in tasks { await task.value }
        #expect(good.value == 200)
    }
}

/// A number that tasks on the loop add to.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ more: Int = 1) { count.add(more, ordering: .relaxed) }
}
