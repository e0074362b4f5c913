import EventLoop
import Foundation

/// A provider on 127.0.0.1 that does what the model's name says, and remembers what it was asked.
///
/// Speaks `GET /v1/models`, `POST /v1/chat/completions`, `/v1/completions` and `/v1/embeddings`, `GET /api/tags`,
/// `POST /api/chat`, `/api/generate` and `/api/embed`, and `GET`/`DELETE /_recorded`
/// (`?20` for the latest 20).
@LoopActor package final class ProviderServer: Watcher {
    /// The port it listens on.
    package let port: UInt16
    private let listener: Int32
    private var connections: [Int32: ProviderConnection] = [:]
    private var accepted = 0
    private var counts: [String: Int] = [:]
    private var recording = Recording()
    /// Told of each request when it has come, and again when it has ended.
    package var observer: (@LoopActor (Recorded) -> Void)?

    /// The latest requests, oldest first.
    package var recorded: [Recorded] { recording.all }

    /// Where it is, without a path.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Listens on `port`, or on a free one.
    package init(port: UInt16 = 0) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Self.openFlags, 0)
        self.port = try Self.bind(listener, port)
        try Loop.watch(listener, for: .readable, by: self)
    }

    /// Bytes that the kernel takes before anybody has read them: else it is megabytes for each who reads slowly.
    private static let sendBuffer: Int32 = 128 << 10
    private static let openFlags: Int32 = 0o2000000 | 0o4000  // SOCK_CLOEXEC, SOCK_NONBLOCK

    private static func bind(_ listener: Int32, _ port: UInt16) throws -> UInt16 {
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, length) == 0 && listen(listener, 4096) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemError.last("bind") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Forgets what was recorded, and begins to count anew.
    package func clear() {
        forgetRecorded()
        counts = [:]
    }

    /// Forgets what was recorded, but not how often each model was asked for.
    package func forgetRecorded() {
        recording.clear()
    }

    /// Closes everything.
    package func stop() {
        Loop.forget(listener)
        close(listener)
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else { return }
            _ = fcntl(socket, F_SETFL, O_NONBLOCK)
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            var (one, size) = (Int32(1), Self.sendBuffer)
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, 4)
            accepted += 1
            let connection = ProviderConnection(socket, number: accepted, server: self)
            connections[socket] = connection
            connection.start()
        }
    }

    /// Takes down a request; its number.
    func record(_ request: Recorded) -> Int {
        let entry = recording.add(request)
        observer?(entry)
        return entry.id
    }

    /// Takes down how a request ended.
    func recordEnd(of id: Int, _ body: (inout Recorded) -> Void) {
        guard let entry = recording.change(id, body) else { return }
        observer?(entry)
    }

    func closed(_ descriptor: Int32) {
        connections[descriptor] = nil
    }

    /// How many requests for this model came before; counts this one.
    func count(_ model: String) -> Int {
        defer { counts[model, default: 0] += 1 }
        return counts[model, default: 0]
    }
}
