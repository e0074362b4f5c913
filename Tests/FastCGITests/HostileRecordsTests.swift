import EventLoop
import FastCGI
import FuzzTargets
import Glibc
import TestSupport
import Testing

@Suite("A listener among hostile connections")
@LoopActor
struct HostileRecordsTests {
    nonisolated private static let begin = FastCGIRecords.begin()
    nonisolated private static let parameters = FastCGIRecords.stream(
        .parameters, FastCGIRecords.pairs([("REQUEST_URI", "/x"), ("HTTP_A", "b")]))
    nonisolated private static let body = FastCGIRecords.stream(.stdin, Array("hello".utf8))

    /// Connections that never become a request, and why.
    nonisolated private static let refused: [(why: String, bytes: [UInt8])] = [
        ("abort at once", FastCGIRecords.record(.abort)),
        ("abort after begin", begin + FastCGIRecords.record(.abort)),
        ("abort among parameters", begin + parameters.dropLast(8) + FastCGIRecords.record(.abort)),
        ("abort before the body", begin + parameters + FastCGIRecords.record(.abort)),
        (
            "abort in the body",
            begin + parameters + body.dropLast(8) + FastCGIRecords.record(.abort)
        ),
        ("get values", FastCGIRecords.record(.getValues, id: 0)),
        ("get values inside", begin + FastCGIRecords.record(.getValues, id: 0) + parameters + body),
        ("begin twice", begin + begin + parameters + body),
        ("begin in the body", begin + parameters + begin + body),
        ("body first", begin + body + parameters),
        ("parameters twice", begin + parameters + parameters + body),
        ("another id", begin + FastCGIRecords.record(.parameters, [1, 1, 65, 66], id: 2)),
        ("two requests at once", begin + FastCGIRecords.begin(id: 2) + parameters + body),
        ("id 0", FastCGIRecords.begin(id: 0) + parameters + body),
        ("an authorizer", FastCGIRecords.begin(role: 2) + parameters + body),
        ("a filter", FastCGIRecords.begin(role: 3) + parameters + body),
        ("role 9", FastCGIRecords.begin(role: 9) + parameters + body),
        ("padded begin", [1, 1, 0, 1, 0, 8, 8, 0, 0, 1, 0, 0, 0, 0, 0, 0] + parameters + body),
        (
            "a name of 2^31 - 1 bytes",
            begin + FastCGIRecords.stream(.parameters, [255, 255, 255, 255, 0])
        ),
        (
            "a value of 2^31 - 1 bytes",
            begin + FastCGIRecords.stream(.parameters, [1, 255, 255, 255, 255])
        ),
        ("HTTP", Array("POST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
        ("TLS", [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]),
    ]

    @Test(
        "E1: serves nothing that breaks the protocol, and drops it at once",
        arguments: refused.indices)
    func protocolErrors(_ index: Int) async throws {
        var served = 0
        let server = try Server { _ in served += 1 }
        defer { server.close() }
        let reply = try await server.exchange(Self.refused[index].bytes)
        #expect(reply.ending == .reset || reply.ending == .closed, "\(Self.refused[index].why)")
        #expect(reply.output.isEmpty)
        #expect(served == 0)
        #expect(await waitUntil { server.listener.active == 0 })
    }

    @Test("E1: serves no request that is cut at any byte, and leaves no descriptor behind")
    func truncated() async throws {
        var served = 0
        let server = try Server { connection in
            served += 1
            await Server.describe(connection)
        }
        defer { server.close() }
        let whole = FastCGIRecords.request(
            "POST", "/x", [("HTTP_LONG", String(repeating: "v", count: 130))],
            body: Array("hello".utf8), padding: 3)
        _ = try await server.exchange(whole)
        let before = RecordsTarget.lowestFreeDescriptor()
        for length in whole.indices {
            let client = try FastCGIClient(server.path)
            await client.send(Array(whole[..<length]))
            client.close()
        }
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(served == 1)
        #expect(RecordsTarget.lowestFreeDescriptor() == before)
    }

    @Test("E1: builds each request of its own connection's bytes alone")
    func interleaved() async throws {
        let server = try Server(bodyLimit: 1 << 20, handle: Server.echo)
        defer { server.close() }
        let bodies = (0..<12).map { number in
            [UInt8](repeating: UInt8(65 + number), count: number.isMultiple(of: 3) ? 20_000 : 300)
        }
        let requests = bodies.map { FastCGIRecords.request("POST", "/", body: $0, padding: 5) }
        let clients = try requests.map { _ in try FastCGIClient(server.path) }
        for start in stride(from: 0, to: 30_000, by: 97) {
            for (client, request) in zip(clients, requests) where start < request.count {
                await client.send(Array(request[start..<min(start + 97, request.count)]))
            }
            try await Loop.sleep(milliseconds: 0)
        }
        for (client, body) in zip(clients, bodies) {
            let reply = await client.reply(seconds: 5)
            #expect(reply.ending == .complete)
            let isOwn = reply.body == body
            #expect(isOwn)
            client.close()
        }
    }

    @Test("E1: answers a request once, whatever follows its end")
    func afterTheEnd() async throws {
        var served = 0
        let server = try Server { connection in
            served += 1
            await Server.describe(connection)
        }
        defer { server.close() }
        let request = FastCGIRecords.request("GET", "/")
        for rest in [request, FastCGIRecords.record(.abort), [UInt8](repeating: 7, count: 9000)] {
            let reply = try await server.exchange(request + rest)
            #expect(reply.ending == .complete)
            #expect(reply.body.elementsEqual("GET / 0 false false".utf8))
        }
        #expect(served == 3)
    }

    @Test("E1: is idle while hostile connections stay open, and when they have gone")
    func idle() async throws {
        let server = try Server { _ in try? await Gate().pass() }
        defer { server.close() }
        let whole = FastCGIRecords.request("POST", "/", body: Array("hello".utf8))
        var clients: [FastCGIClient] = []
        for length in stride(from: 0, to: whole.count, by: 5) {
            let client = try FastCGIClient(server.path)
            await client.send(Array(whole[..<length]))
            clients.append(client)
        }
        // Served, and more is sent than anybody will read.
        for _ in 0..<10 {
            let client = try FastCGIClient(server.path)
            await client.send(whole + [UInt8](repeating: 1, count: 1000))
            clients.append(client)
        }
        #expect(await waitUntil { server.listener.active == clients.count })
        #expect(try await Self.load() < 0.2)
        clients.forEach { $0.close() }
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(try await Self.load() < 0.2)
    }

    /// The part of a processor that this process takes, over 300 ms.
    private static func load() async throws -> Double {
        func seconds(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let (used, began) = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
        try await Loop.sleep(milliseconds: 300)
        return (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) / (seconds(CLOCK_MONOTONIC) - began)
    }
}
