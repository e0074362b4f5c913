import EventLoop
import FastCGI
import Glibc
import HTTP
import System
import TestSupport
import Testing

@Suite("A reply to the web server")
@LoopActor
struct ReplyTests {
    private static let get = FastCGIRecords.request("GET", "/")

    @Test("ends cleanly when it is finished, and with a reset when it is broken off")
    func endings() async throws {
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .ok))
            try? await connection.write(Array("half".utf8))
            if connection.request.path == "/whole" { try? await connection.finish() }
        }
        defer { server.close() }
        let whole = try await server.exchange(FastCGIRecords.request("GET", "/whole"))
        #expect(whole.ending == .complete)
        #expect(whole.body.elementsEqual("half".utf8))
        let broken = try await server.exchange(FastCGIRecords.request("GET", "/broken"))
        #expect(broken.ending == .reset)
        #expect(broken.body.elementsEqual("half".utf8))
    }

    @Test("that was never begun is broken off")
    func neverBegun() async throws {
        let server = try Server { _ in }
        defer { server.close() }
        let reply = try await server.exchange(Self.get)
        #expect(reply.ending == .reset)
        #expect(reply.output.isEmpty)
    }

    @Test("begins once, ends once, and takes nothing before or after")
    func order() async throws {
        var outcomes: [String] = []
        func note(_ name: String, _ body: () async throws -> Void) async {
            do {
                try await body()
                outcomes.append(name)
            } catch { outcomes.append("no \(name)") }
        }
        let server = try Server { connection in
            let head = ResponseHead(status: .ok)
            await note("write") { try await connection.write([1]) }
            await note("finish") { try await connection.finish() }
            connection.writeIfReady([1])
            await note("open") { try connection.open(head) }
            await note("open") { try connection.open(head) }
            await note("write") { try await connection.write([]) }
            await note("write") { try await connection.write([0x61]) }
            connection.writeIfReady([0x62])
            await note("finish") { try await connection.finish() }
            await note("finish") { try await connection.finish() }
            await note("write") { try await connection.write([1]) }
            connection.writeIfReady([1])
            connection.breakOff()
            connection.breakOff()
        }
        defer { server.close() }
        let reply = try await server.exchange(Self.get)
        #expect(reply.ending == .complete)
        #expect(reply.body == [0x61, 0x62])
        #expect(
            outcomes == [
                "no write", "no finish", "open", "no open", "write", "write", "finish", "no finish",
                "no write",
            ])
        #expect(server.listener.active == 0)
    }

    @Test("sends each piece at once")
    func atOnce() async throws {
        let gate = Gate()
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .created))
            try? await connection.write(Array("one".utf8))
            try? await gate.pass()
            try? await connection.write(Array("two".utf8))
            try? await connection.finish()
        }
        defer { server.close() }
        let client = try FastCGIClient(server.path)
        defer { client.close() }
        await client.send(Self.get)
        let first = await client.read { $0.suffix(3).elementsEqual("one".utf8) }
        #expect(first.status == 201)
        #expect(first.ending == .none)
        gate.open()
        let whole = await client.reply()
        #expect(whole.body.elementsEqual("onetwo".utf8))
        #expect(whole.ending == .complete)
    }

    @Test("has no fields but those that were given, whatever stands in them")
    func injection() async throws {
        let server = try Server { connection in
            let fields: Fields = [
                "x-good": "a: b", "x-bad": "a\r\nx-evil: 1", "x-nul": "a\0b", "x-lf": "a\nb",
                "x\r\nevil": "1", "x-cr": "a\rb", "x-last": "ü",
            ]
            try? connection.open(ResponseHead(status: .ok, fields: fields))
            try? await connection.finish()
        }
        defer { server.close() }
        let reply = try await server.exchange(Self.get)
        #expect(reply.head == ["Status: 200 OK", "x-good: a: b", "x-last: ü"])
    }

    @Test("keeps every byte of a large body, also for a slow reader")
    func largeBody() async throws {
        let body = Server.noise(3 << 20)
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .ok))
            try? await connection.write(body)
            try? await connection.finish()
        }
        defer { server.close() }
        let reply = try await server.exchange(Self.get)
        #expect(reply.ending == .complete)
        // Not of the arrays themselves: showing where millions of bytes differ would take hours.
        let isSame = reply.body == body
        #expect(isSame)
    }

    @Test("waits for a reader who does not read, and keeps nobody else waiting")
    func backPressure() async throws {
        var written = 0
        var isDone = false
        let piece = [UInt8](repeating: 0x78, count: 20_000)
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .ok))
            guard connection.request.path == "/slow" else {
                _ = try? await connection.finish()
                return
            }
            for _ in 0..<100 {
                guard (try? await connection.write(piece)) != nil else { return }
                written += piece.count
                connection.writeIfReady([0x79])
            }
            try? await connection.finish()
            isDone = true
        }
        defer { server.close() }
        let slow = try FastCGIClient(server.path)
        defer { slow.close() }
        await slow.send(FastCGIRecords.request("GET", "/slow"))
        #expect(await waitUntil { written > 0 })
        for _ in 0..<5 {
            let other = try await server.exchange(Self.get)
            #expect(other.ending == .complete)
        }
        #expect(written < 500_000)
        #expect(!isDone)
        let reply = await slow.reply()
        #expect(reply.ending == .complete)
        // The small pieces were dropped or sent between two others, never inside one.
        let runs = reply.body.split(separator: 0x79).map(\.count)
        #expect(runs.reduce(0, +) == 2_000_000)
        #expect(runs.allSatisfy { $0.isMultiple(of: piece.count) })
        #expect(isDone)
    }
}

@Suite("A client that goes")
@LoopActor
struct DepartureTests {
    @Test("cancels the task that serves it, and that alone")
    func cancelsTask() async throws {
        var outcomes: [String] = []
        let server = try Server { connection in
            let gate = Gate()
            do { try await gate.pass() } catch {
                outcomes.append("\(connection.request.path) \(error is CancellationError)")
            }
            #expect(connection.hasDeparted)
        }
        defer { server.close() }
        let one = try FastCGIClient(server.path)
        let other = try FastCGIClient(server.path)
        await one.send(FastCGIRecords.request("GET", "/one"))
        await other.send(FastCGIRecords.request("GET", "/other"))
        #expect(await waitUntil { server.listener.active == 2 })
        one.close()
        #expect(await waitUntil { !outcomes.isEmpty })
        #expect(outcomes == ["/one true"])
        other.close()
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(outcomes == ["/one true", "/other true"])
    }

    @Test("ends a write that waits for it, also in a task of its own")
    func endsWrites() async throws {
        var errors: [Bool] = []
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .ok))
            await spawn {
                do {
                    while true { try await connection.write([UInt8](repeating: 0, count: 50_000)) }
                } catch { errors.append(error is CancellationError) }
                do { try await connection.write([1]) } catch {
                    errors.append(error is CancellationError)
                }
                do { try await connection.finish() } catch {
                    errors.append(error is CancellationError)
                }
            }.value
        }
        defer { server.close() }
        let client = try FastCGIClient(server.path)
        await client.send(FastCGIRecords.request("GET", "/"))
        #expect(await client.read { $0.count > 1000 }.status == 200)
        client.close()
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(errors == [true, true, true])
    }

    @Test("is noticed by a write that comes before the event")
    func beforeTheEvent() async throws {
        var errors: [Bool] = []
        var isBroken = false
        let client = Holder()
        let server = try Server { connection in
            try? connection.open(ResponseHead(status: .ok))
            client.value?.close()
            do { try await connection.write([1]) } catch {
                errors.append(error is CancellationError)
            }
            connection.writeIfReady([1])
            do { try await connection.write([1]) } catch {
                errors.append(error is CancellationError)
            }
            isBroken = connection.state == .broken && connection.hasDeparted
        }
        defer { server.close() }
        client.value = try FastCGIClient(server.path)
        await client.value?.send(FastCGIRecords.request("GET", "/"))
        #expect(await waitUntil { errors.count == 2 })
        #expect(errors == [true, true])
        #expect(isBroken)
        #expect(await waitUntil { server.listener.active == 0 })
    }

    @Test("leaves no descriptor behind, after two hundred that ended in every way")
    func descriptors() async throws {
        let server = try Server(bodyLimit: 1 << 20, intakeTimeout: 20) { connection in
            switch connection.request.path {
            case "/whole": await Server.describe(connection)
            case "/broken": try? connection.open(ResponseHead(status: .ok))
            default: try? await Gate().pass()
            }
        }
        defer { server.close() }
        for index in 0..<40 {
            let large = [UInt8](repeating: 1, count: 100_000 + index)
            _ = try await server.exchange(FastCGIRecords.request("POST", "/whole", body: large))
            _ = try await server.exchange(FastCGIRecords.request("GET", "/broken"))
            _ = try await server.exchange(FastCGIRecords.record(.abort))
            _ = try await server.exchange(FastCGIRecords.begin())
            let client = try FastCGIClient(server.path)
            await client.send(FastCGIRecords.request("GET", "/waits"))
            client.close()
        }
        #expect(await waitUntil { server.listener.active == 0 })
        #expect(Self.sockets(at: server.path) == 1)
        // One stays, to be shared by small requests.
        #expect(await waitUntil { Self.memoryFiles() <= 1 })
    }

    @LoopActor
    private final class Holder {
        var value: FastCGIClient?
    }

    /// Descriptors of this process whose own address is `path`.
    private static func sockets(at path: String) -> Int {
        (0..<1024).count { descriptor in
            var address = sockaddr_un()
            var size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let code = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(Int32(descriptor), $0, &size)
                }
            }
            let name = withUnsafeBytes(of: address.sun_path) { $0.prefix { $0 != 0 } }
            return code == 0 && name.elementsEqual(path.utf8)
        }
    }

    private static func memoryFiles() -> Int {
        (0..<1024).count { descriptor in
            SystemFile.target(ofLink: "/proc/self/fd/\(descriptor)")?.contains("memfd:fastcgi")
                ?? false
        }
    }
}

@Suite("A listener")
@LoopActor
struct ListenerTests {
    @Test("takes the connections that wait for it when it is stopped")
    func stopWhileWoken() async throws {
        let server = try Server(handle: Server.describe)
        defer { server.close() }
        let clients = try (0..<3).map { _ in try FastCGIClient(server.path) }
        // The loop has not turned: nobody else would be told of these connections.
        server.listener.stop()
        #expect(server.listener.active == 3)
        for client in clients {
            await client.send(FastCGIRecords.request("GET", "/"))
            #expect(await client.reply().ending == .complete)
            client.close()
        }
    }

    @Test("takes no connection after it was stopped, and is drained when the last one ends")
    func drain() async throws {
        let gate = Gate()
        var isDrained = false
        let server = try Server { connection in
            try? await gate.pass()
            await Server.describe(connection)
        }
        defer { server.close() }
        let running = try FastCGIClient(server.path)
        defer { running.close() }
        await running.send(FastCGIRecords.request("GET", "/"))
        #expect(await waitUntil { server.listener.active == 1 })
        server.listener.stop()
        let late = try FastCGIClient(server.path)
        defer { late.close() }
        await late.send(FastCGIRecords.request("GET", "/late"))
        spawn {
            await server.listener.drained()
            isDrained = true
        }
        try await Loop.sleep(milliseconds: 20)
        #expect(!isDrained)
        #expect(server.listener.active == 1)
        gate.open()
        #expect(await running.reply().ending == .complete)
        #expect(await waitUntil { isDrained })
        await server.listener.drained()
    }
}
