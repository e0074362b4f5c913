import EventLoop
import FastCGI
import Foundation
import PostgreSQL
import System
import TestSupport

@testable import Gateway

/// A worker of this process, behind a web server's end that is the test.
@LoopActor
final class House {
    static let pepper = "a pepper of more than 32 characters"

    let worker: Worker
    private let path: String
    private let socket: Int32

    /// With a database that cannot be reached, unless `conninfo` names another.
    init(
        _ conninfo: String = "host=/nonexistent dbname=none",
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Configuration()
        configuration.pepper = Secret(Self.pepper)
        configuration.bodyLimit = 10_000
        change(&configuration)
        worker = Worker(
            configuration, instanceID: "worker-test",
            database: try Settings(conninfo: conninfo, resolvesNames: false))
        path = NSTemporaryDirectory() + "house-\(UInt32.random(in: 0...(.max))).sock"
        socket = try UnixSocket.listen(path)
        try worker.listen(on: socket)
    }

    func close() async {
        await worker.drain()
        Descriptor.close(socket)
        unlink(path)
    }

    /// One request and its reply.
    func send(
        _ method: String, _ target: String, _ parameters: [(String, String)] = [],
        body: String = ""
    ) async throws -> FastCGIClient.Reply {
        let client = try FastCGIClient(path)
        defer { client.close() }
        await client.send(
            FastCGIRecords.request(method, target, parameters, body: Array(body.utf8)))
        return await client.reply()
    }
}

extension FastCGIClient.Reply {
    var text: String { String(decoding: body, as: UTF8.self) }
}
