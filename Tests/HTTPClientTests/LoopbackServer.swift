import Foundation
import Synchronization

/// A server on 127.0.0.1 that does to each connection what a test says, in a thread of its own.
final class LoopbackServer: Sendable {
    let port: UInt16
    let accepted = Counter()
    let closed = Counter()
    private let listener: Int32

    var url: String { "http://127.0.0.1:\(port)" }

    init(_ serve: @escaping @Sendable (ServerConnection) throws -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1024) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { self.acceptAll(serve) }
    }

    private func acceptAll(_ serve: @escaping @Sendable (ServerConnection) throws -> Void) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                Glibc.close(listener)
                return
            }
            accepted.add()
            Thread.detachNewThread {
                let connection = ServerConnection(descriptor)
                try? serve(connection)
                connection.close()
                self.closed.add()
            }
        }
    }

    /// Refuses from now on, and ends the accept thread. That closes the listener: closed here, its number could be the
    /// next server's by the time the thread accepts again.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}

struct ServerGone: Error {}

/// One accepted connection; used by one thread.
final class ServerConnection {
    private var descriptor: Int32
    private var pending: [UInt8] = []

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// One request: its head as text and its body. Throws at the connection's end.
    func request() throws -> (head: String, body: [UInt8]) {
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                pending.removeSubrange(..<end.upperBound)
                let body = try take(contentLength(head))
                return (head, body)
            }
            try receive()
        }
    }

    private func contentLength(_ head: String) -> Int {
        for line in head.lowercased().split(separator: "\r\n") {
            if line.hasPrefix("content-length:") {
                return Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces)) ?? 0
            }
        }
        return 0
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while pending.count < count { try receive() }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }

    private func receive() throws {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw ServerGone() }
        pending += buffer[..<count]
    }

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Blocks while the client does not read.
    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ServerGone() }
            sent += count
        }
    }

    func chunk(_ text: String) throws {
        try send(String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n")
    }

    /// Returns when the client has closed.
    func waitForClose() {
        while (try? receive()) != nil {}
    }

    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
