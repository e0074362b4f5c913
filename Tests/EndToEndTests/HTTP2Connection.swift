import EventLoop
import Foundation
import TestSupport

/// An HTTP/2 connection without TLS, as much of RFC 9113 as it takes to begin streams and to reset one of them, which
/// no command-line client does.
@LoopActor final class HTTP2Connection: Watcher {
    private enum Kind: UInt8 { case data, headers, priority, reset, settings }

    private let descriptor: Int32
    private var received: [UInt8] = []
    private var bodies: [UInt32: [UInt8]] = [:]
    /// Streams that the server has ended.
    private(set) var ended: Set<UInt32> = []

    init(_ site: Deployment) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        let port = site.url(.http2).split(separator: ":").last.flatMap { UInt16($0) }
        address.sin_port = (port ?? 0).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            throw WebFailure.refused
        }
        try Loop.watch(descriptor, for: [.readable, .hangUp], by: self)
        send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        send(.settings, [])
    }

    /// Begins a stream; numbers are odd and grow.
    func ask(_ request: WebRequest, stream: UInt32) {
        let fields =
            [
                (":method", request.method), (":scheme", "http"), (":path", request.path),
                (":authority", "archway.test"),
            ] + request.fields.map { ($0.name.lowercased(), $0.value) }
        // RFC 7541, section 6.2.2: literals without indexing, of less than 127 bytes.
        var block: [UInt8] = []
        for (name, value) in fields {
            block += [0, UInt8(name.utf8.count)] + Array(name.utf8)
            block += [UInt8(value.utf8.count)] + Array(value.utf8)
        }
        send(.headers, block, flags: 4, stream: stream)
        send(.data, request.body ?? [], flags: 1, stream: stream)
    }

    /// Gives a stream up (`RST_STREAM` with `CANCEL`); the connection stays.
    func reset(stream: UInt32) { send(.reset, [0, 0, 0, 8], stream: stream) }

    /// What has come of a stream's body.
    func text(of stream: UInt32) -> String {
        String(decoding: bodies[stream] ?? [], as: UTF8.self)
    }

    func leave() {
        Loop.forget(descriptor)
        close(descriptor)
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else {
            if count == 0 { Loop.forget(descriptor) }
            return
        }
        received += piece[..<count]
        while received.count >= 9 {
            let length = Int(received[0]) << 16 | Int(received[1]) << 8 | Int(received[2])
            guard received.count >= 9 + length else { return }
            take(Array(received[..<(9 + length)]))
            received.removeFirst(9 + length)
        }
    }

    private func take(_ frame: [UInt8]) {
        let (kind, flags) = (Kind(rawValue: frame[3]), frame[4])
        let stream = frame[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if kind == .settings, flags & 1 == 0 { send(.settings, [], flags: 1) }
        if kind == .data { bodies[stream, default: []] += frame[9...] }
        if kind == .data || kind == .headers, flags & 1 == 1 { ended.insert(stream) }
    }

    private func send(_ kind: Kind, _ content: [UInt8], flags: UInt8 = 0, stream: UInt32 = 0) {
        let length = content.count
        send(
            [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255)]
                + [kind.rawValue, flags, 0, 0, UInt8(stream >> 8), UInt8(stream & 255)] + content)
    }

    /// All of it is small: a new connection has room for it.
    private func send(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }
}
