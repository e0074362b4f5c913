import EventLoop
import FastCGI
import HTTP
import TestSupport
import Testing

@Suite("A request from the web server")
@LoopActor
struct IntakeTests {
    @Test("arrives whole when it is cut in small pieces", arguments: [1, 3, 7, 8, 11])
    func pieces(_ size: Int) async throws {
        let server = try Server(handle: Server.describe)
        defer { server.close() }
        let body = (0..<300).map { UInt8($0 & 255) }
        let reply = try await server.exchange(
            FastCGIRecords.request("PUT", "/pieces", body: body, padding: 5), pieces: size)
        #expect(reply.ending == .complete)
        #expect(reply.status == 200)
        #expect(reply.field("x-test") == "yes")
        #expect(
            String(decoding: reply.body, as: UTF8.self)
                == "PUT /pieces 300 false false")
    }

    @Test("keeps every byte of a large body", arguments: [8184, 32_768, 65_535])
    func largeBody(_ recordSize: Int) async throws {
        let server = try Server(bodyLimit: 8 << 20, handle: Server.echo)
        defer { server.close() }
        let body = Server.noise(4 << 20)
        let pairs = FastCGIRecords.pairs([
            ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/large"),
            ("CONTENT_LENGTH", String(body.count)),
        ])
        let reply = try await server.exchange(
            FastCGIRecords.begin() + FastCGIRecords.stream(.parameters, pairs)
                + FastCGIRecords.stream(.stdin, body, size: recordSize))
        #expect(reply.ending == .complete)
        // Not of the arrays themselves: showing where millions of bytes differ would take hours.
        let isSame = reply.body == body
        #expect(isSame)
    }

    @Test("is read to its end when a header lies across the end of a full look")
    func headerAtTheEdge() async throws {
        let server = try Server(bodyLimit: 8 << 20, handle: Server.describe)
        defer { server.close() }
        for cut in 1..<8 {
            let client = try FastCGIClient(server.path)
            await client.send(FastCGIRecords.begin())
            #expect(await waitUntil { server.listener.active == 1 })
            // All of the rest lies in the socket when the worker looks: 64 KiB end inside a header.
            let body = [UInt8](repeating: 7, count: 65_536 - 16 - cut)
            await client.send(
                FastCGIRecords.stream(.parameters, []) + FastCGIRecords.record(.stdin, body)
                    + FastCGIRecords.record(.stdin, Array("rest".utf8))
                    + FastCGIRecords.record(.stdin))
            let reply = await client.reply(seconds: 5)
            #expect(reply.ending == .complete)
            client.close()
            #expect(await waitUntil { server.listener.active == 0 })
        }
    }

    @Test("may have parameters of more than 64 KiB, and not of more than 256 KiB")
    func largeParameters() async throws {
        var lengths: [Int] = []
        let server = try Server { connection in
            lengths.append(connection.request.fields["x-long"]?.count ?? -1)
            await Server.describe(connection)
        }
        defer { server.close() }
        for length in [70_000, 200_000, 300_000] {
            let value = String(repeating: "v", count: length)
            let reply = try await server.exchange(
                FastCGIRecords.request("GET", "/", [("HTTP_X_LONG", value)]))
            #expect(reply.ending == (length < 262_144 ? .complete : .reset))
        }
        #expect(lengths == [70_000, 200_000])
    }

    @Test("has no body when that is over the limit, and is answered all the same")
    func bodyLimit() async throws {
        let server = try Server(bodyLimit: 100_000, handle: Server.describe)
        defer { server.close() }
        for (length, isOver) in [(100_000, false), (100_001, true), (3_000_000, true)] {
            let body = [UInt8](repeating: 1, count: length)
            let reply = try await server.exchange(FastCGIRecords.request("POST", "/", body: body))
            #expect(reply.ending == .complete)
            let kept = isOver ? [] : body
            #expect(
                String(decoding: reply.body, as: UTF8.self)
                    == "POST / \(kept.count) \(isOver) false")
        }
    }

    @Test(
        "says when Content-Length lies",
        arguments: [("5", false), ("4", true), ("6", true), ("", true), ("x", true), ("-5", true)])
    func contentLength(_ declared: String, _ isWrong: Bool) async throws {
        let server = try Server(handle: Server.describe)
        defer { server.close() }
        let reply = try await server.exchange(
            FastCGIRecords.request(
                "POST", "/", [("CONTENT_LENGTH", declared)], body: Array("hello".utf8)))
        let words = String(decoding: reply.body, as: UTF8.self).split(separator: " ")
        #expect(words.last == (isWrong ? "true" : "false"))
    }

    @Test("needs no Content-Length where there is no body")
    func noBody() async throws {
        let server = try Server(handle: Server.describe)
        defer { server.close() }
        let reply = try await server.exchange(
            FastCGIRecords.request("GET", "/", [("CONTENT_LENGTH", "")]))
        #expect(reply.body.elementsEqual("GET / 0 false false".utf8))
    }

    @Test("takes trust from names that only the web server can give")
    func trust() async throws {
        var requests: [HTTP.Request] = []
        let server = try Server { connection in
            requests.append(connection.request)
            await Server.describe(connection)
        }
        defer { server.close() }
        _ = try await server.exchange(
            FastCGIRecords.request(
                "GET", "/a%20b?x=1&y=%41",
                [
                    ("HTTP_REMOTE_USER", "eve"), ("HTTP_REQUEST_ID", "eve"),
                    ("REMOTE_ADDR", "192.0.2.1"), ("REMOTE_USER", "alice"),
                    ("REQUEST_ID", "abc-1"), ("CONTENT_TYPE", "text/plain"),
                ]))
        _ = try await server.exchange(
            FastCGIRecords.request(
                "GET", "/", [("REMOTE_USER", ""), ("REQUEST_ID", "a\r\nb"), ("HTTP_PROXY", "x")]))
        let (one, other) = (try #require(requests.first), try #require(requests.last))
        #expect(one.remoteUser == "alice")
        #expect(one.requestID == "abc-1")
        #expect(one.remoteAddress == "192.0.2.1")
        #expect(one.fields["remote-user"] == "eve")
        #expect(one.fields["content-type"] == "text/plain")
        #expect(one.path == "/a%20b")
        #expect(one.query.map(\.value) == ["1", "A"])
        #expect(other.remoteUser == nil)
        #expect(other.requestID == "")
    }

    @Test("is dropped when the web server aborts it, sends nonsense or leaves early")
    func refused() async throws {
        var served = 0
        let server = try Server { _ in served += 1 }
        defer { server.close() }
        let begin = FastCGIRecords.begin()
        let parameters = FastCGIRecords.stream(.parameters, FastCGIRecords.pairs([("A", "b")]))
        let wrong = [
            begin + FastCGIRecords.record(.abort),
            begin + parameters + FastCGIRecords.record(.abort),
            begin + FastCGIRecords.record(.getValues),
            FastCGIRecords.begin(role: 9) + parameters + FastCGIRecords.record(.stdin),
            Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
            begin + FastCGIRecords.stream(.parameters, [0x80]),
        ]
        for bytes in wrong {
            let ending = try await server.exchange(bytes).ending
            #expect(ending == .reset || ending == .closed)
        }
        let client = try FastCGIClient(server.path)
        await client.send(begin + parameters)
        client.close()
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(served == 0)
    }

    @Test("must arrive in time: silent and half-sent ones are dropped")
    func silence() async throws {
        var served = 0
        let server = try Server(intakeTimeout: 40) { _ in served += 1 }
        defer { server.close() }
        let whole = FastCGIRecords.request("GET", "/")
        for length in [0, 4, 20, whole.count - 1] {
            let reply = try await server.exchange(Array(whole[..<length]))
            #expect(reply.ending == .closed || reply.ending == .reset)
        }
        #expect(served == 0)
        #expect(server.listener.active == 0)
    }

    @Test("is served while others lie half-sent")
    func patience() async throws {
        let server = try Server(handle: Server.describe)
        defer { server.close() }
        var half: [FastCGIClient] = []
        for _ in 0..<20 {
            let client = try FastCGIClient(server.path)
            await client.send(FastCGIRecords.begin())
            half.append(client)
        }
        let reply = try await server.exchange(FastCGIRecords.request("GET", "/"))
        #expect(reply.ending == .complete)
        half.forEach { $0.close() }
        #expect(await waitUntil { server.listener.active == 0 })
    }

    @Test("never brings the worker down, however it is spoiled")
    func spoiled() async throws {
        let server = try Server(intakeTimeout: 20, handle: Server.describe)
        defer { server.close() }
        var generator = SeededGenerator(seed: 3)
        let whole = FastCGIRecords.request(
            "POST", "/x?y", [("HTTP_A", "b"), ("REMOTE_USER", "c")], body: Array("body".utf8))
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            let ending = try await server.exchange(bytes).ending
            #expect(ending != .none)
        }
        let reply = try await server.exchange(FastCGIRecords.request("GET", "/"))
        #expect(reply.ending == .complete)
    }
}
