import EventLoop
import FastCGI
import Foundation
import System
import TestSupport
import Testing

@testable import Gateway

@Suite("A reply of events")
@LoopActor
struct EventStreamReplyTests {
    /// Runs `body` as the handler of one request, whose other end is given to `peer`.
    private static func run(
        hold: Int = 60_000, keepAlive: Int = 60_000, toleratesDeparture: Bool = false,
        _ body: @escaping @LoopActor (EventStreamReply) async throws -> Void,
        peer: (FastCGIClient) async throws -> Void
    ) async throws {
        let path = NSTemporaryDirectory() + "events-\(UInt32.random(in: 0...(.max))).sock"
        let socket = try UnixSocket.listen(path)
        let listener = try Listener(socket, bodyLimit: 1000) { connection in
            let exchange = Exchange(connection, requestID: "r1")
            let reply = EventStreamReply(
                exchange, hold: hold, keepAlive: keepAlive,
                toleratesDeparture: toleratesDeparture)
            defer { reply.stop() }
            // In a task of its own, as an answer that goes on without its caller.
            await spawn { try? await body(reply) }.value
        }
        let client = try FastCGIClient(path)
        await client.send(FastCGIRecords.request("GET", "/"))
        try await peer(client)
        client.close()
        #expect(await waitUntil { listener.active == 0 })
        listener.stop()
        Descriptor.close(socket)
        unlink(path)
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("opens with its first event and ends with its last")
    func plain() async throws {
        try await Self.run { reply in
            #expect(!reply.isOpen)
            #expect(!reply.writeAtOnce(Self.bytes("early")))
            try await reply.write(Self.bytes("data: 1\n\n"))
            #expect(reply.isOpen)
            #expect(reply.writeAtOnce(Self.bytes("data: 2\n\n")))
            try await reply.finish(Self.bytes("data: 3\n\n"))
        } peer: { client in
            let reply = await client.reply()
            #expect(reply.status == 200)
            #expect(reply.field("content-type") == "text/event-stream")
            #expect(reply.field("cache-control") == "no-cache, no-transform")
            #expect(reply.field("x-accel-buffering") == "no")
            #expect(reply.field("content-length") == nil)
            #expect(reply.field("x-request-id") == "r1")
            #expect(reply.text == "data: 1\n\ndata: 2\n\ndata: 3\n\n")
            #expect(reply.ending == .complete)
        }
    }

    @Test("opens by itself when the first event takes long, and fills every silence")
    func silence() async throws {
        let gate = Gate()
        try await Self.run(hold: 5, keepAlive: 10) { reply in
            try await gate.pass()
            #expect(reply.isOpen)
            try await reply.write(Self.bytes("data: 1\n\n"))
            try await gate.pass()
            try await reply.finish([])
        } peer: { client in
            let comment = Self.bytes(": keep-alive\n\n")
            let silent = await client.read { $0.count { $0 == 0x3a } >= 10 }
            #expect(silent.text.hasPrefix(": keep-alive\n\n: keep-alive\n\n"))
            gate.open()
            let spoken = await client.read {
                $0.contains(0x31) && $0.suffix(2 * comment.count).elementsEqual(comment + comment)
            }
            let after = spoken.text.split(separator: "data: 1\n\n").last ?? ""
            #expect(after.hasPrefix(": keep-alive\n\n: keep-alive\n\n"))
            gate.open()
            #expect(await client.reply().ending == .complete)
        }
    }

    @Test("fails when its caller has left, unless it is to go on without him")
    func departure() async throws {
        for goesOn in [false, true] {
            var steps: [String] = []
            let gate = Gate()
            try await Self.run(toleratesDeparture: goesOn) { reply in
                defer { gate.open() }
                do {
                    // Much more than any buffer on the way: the writer waits when its caller leaves.
                    for _ in 0..<100 {
                        try await reply.write([UInt8](repeating: 0x78, count: 50_000))
                    }
                    steps.append("written")
                    #expect(!reply.writeAtOnce(Self.bytes("x")))
                    try await reply.finish(Self.bytes("data: [DONE]\n\n"))
                    steps.append("finished")
                } catch {
                    steps.append("\(error is CancellationError)")
                    throw error
                }
            } peer: { client in
                _ = await client.read { $0.count > 1000 }
                client.close()
                try await gate.pass()
            }
            #expect(steps == (goesOn ? ["written", "finished"] : ["true"]))
        }
    }

    @Test("can be ended by a task that was cancelled")
    func cancelled() async throws {
        try await Self.run { reply in
            try await reply.write(Self.bytes("data: 1\n\n"))
            // So much that its end has to wait for the reader.
            while reply.writeAtOnce([UInt8](repeating: 0x78, count: 8000)) {}
            withUnsafeCurrentTask { $0?.cancel() }
            #expect(!reply.isTorn)
            try await reply.finish(Self.bytes("data: 2\n\n"), despiteCancellation: true)
        } peer: { client in
            let reply = await client.reply()
            #expect(reply.text.hasSuffix("xdata: 2\n\n"))
            #expect(reply.ending == .complete)
        }
    }

    @Test("knows when half an event may be out")
    func torn() async throws {
        let gate = Gate()
        try await Self.run { reply in
            let writing = spawn {
                try? await reply.write([UInt8](repeating: 0x78, count: 5_000_000))
            }
            try await gate.pass()
            #expect(reply.isTorn)
            writing.cancel()
            await writing.value
            #expect(reply.isTorn)
        } peer: { client in
            _ = await client.read { $0.count > 1000 }
            gate.open()
            #expect(await client.reply().ending != .complete)
        }
    }
}
