import EventLoop
import FastCGI
import Foundation
import HTTP
import System
import TestSupport

/// A listening worker whose handler is the test's.
@LoopActor
final class Server {
    let path: String
    let listener: Listener
    private let socket: Int32

    init(
        bodyLimit: Int = 1 << 20, intakeTimeout: Int = 60_000,
        handle: @escaping @LoopActor (FastCGI.Connection) async -> Void
    ) throws {
        path = NSTemporaryDirectory() + "fastcgi-\(UInt32.random(in: 0...(.max))).sock"
        socket = try UnixSocket.listen(path)
        listener = try Listener(
            socket, bodyLimit: bodyLimit, intakeTimeout: intakeTimeout, handle: handle)
    }

    func close() {
        listener.stop()
        Descriptor.close(socket)
        unlink(path)
    }

    /// One exchange: sends, reads to the end, closes.
    func exchange(_ bytes: [UInt8], pieces: Int = .max) async throws -> FastCGIClient.Reply {
        let client = try FastCGIClient(path)
        defer { client.close() }
        await client.send(bytes, pieces: pieces)
        return await client.reply()
    }

    /// Answers 200 and says what arrived.
    static func describe(_ connection: FastCGI.Connection) async {
        let request = connection.request
        let words = [
            request.method.name, request.path, "\(request.body.count)",
            "\(connection.exceedsBodyLimit)", "\(connection.hasWrongLength)",
        ]
        try? connection.open(ResponseHead(status: .ok, fields: ["x-test": "yes"]))
        try? await connection.write(Array(words.joined(separator: " ").utf8))
        try? await connection.finish()
    }

    /// Answers with the body.
    static func echo(_ connection: FastCGI.Connection) async {
        try? connection.open(ResponseHead(status: .ok))
        try? await connection.write(connection.request.body)
        try? await connection.finish()
    }

    /// Bytes in which a loss, a repetition or an exchange shows: random, with a period that fits no buffer.
    static func noise(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 5)
        let period = (0..<65_521).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += period.prefix(count - bytes.count) }
        return bytes
    }
}
