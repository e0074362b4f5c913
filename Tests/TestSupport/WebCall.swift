import EventLoop
import Foundation
import ScriptedProvider

/// What to ask a web server.
package struct WebRequest: Sendable {
    package var method: String
    /// Path and query, percent-encoded.
    package var path: String
    package var fields: [(name: String, value: String)] = []
    package var body: [UInt8]?
    /// Milliseconds after each byte, which then goes out alone.
    package var pause: Int?

    package init(_ method: String, _ path: String) {
        self.method = method
        self.path = path
    }

    /// The bytes on the wire. `Content-Length` is added, unless a field says otherwise how long the body is.
    package var bytes: [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: archway.test\r\nConnection: close\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        let lengths = ["Content-Length", "Transfer-Encoding"]
        if let body, !fields.contains(where: { lengths.contains($0.name) }) {
            text += "Content-Length: \(body.count)\r\n"
        }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }
}

/// Why a reply is not whole.
package enum WebFailure: Error, Equatable {
    case refused
    /// The connection ended before the reply did.
    case broken
    /// Bytes that are no HTTP.
    case malformed(String)
    case silent
}

/// One request to a web server on 127.0.0.1 on a connection of its own. Sees each chunk of the reply and when it came,
/// and can leave at any moment.
@LoopActor package final class WebCall: Watcher {
    /// Seconds that a reply, or its next piece, may take.
    private static let patience = 60

    private let descriptor: Int32
    private var output: [UInt8]
    private var sent = 0
    private var isSending = true
    private let pause: Int?
    private var parser: WebReplyParser
    private var isOpen = true
    private let changed = Gate()
    /// When it left, if it did (`CLOCK_MONOTONIC`, µs).
    package private(set) var leftAt: Int64?

    /// While false nothing is taken from the connection, so that what the server sends piles up before it.
    package var isReading = true {
        didSet { if isOpen { try? Loop.rewatch(descriptor, for: interest) } }
    }

    /// Connects and begins to send.
    package init(_ request: WebRequest, port: UInt16, receiveBuffer: Int32? = nil) throws {
        output = request.bytes
        pause = request.pause
        parser = WebReplyParser(hasNoBody: request.method == "HEAD")
        let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        descriptor = socket(AF_INET, Int32(flags), 0)
        if var size = receiveBuffer {
            let length = socklen_t(MemoryLayout<Int32>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 || errno == EINPROGRESS else {
            close(descriptor)
            throw WebFailure.refused
        }
        try Loop.watch(descriptor, for: interest, by: self)
    }

    /// Status and fields, as soon as they are there.
    package func head() async throws -> WebHead {
        while true {
            if let head = parser.head { return head }
            try await more()
        }
    }

    /// The next piece of the body; nil when the reply has ended as it should.
    package func next() async throws -> WebPiece? {
        while true {
            if let piece = parser.takePiece() { return piece }
            if parser.isWhole { return nil }
            try await more()
        }
    }

    /// Drops the pieces that have arrived.
    package func skip() {
        while parser.takePiece() != nil {}
    }

    /// All of the reply.
    package func reply() async throws -> WebReply {
        defer { leave() }
        let head = try await head()
        var pieces: [WebPiece] = []
        while let piece = try await next() { pieces.append(piece) }
        return WebReply(head: head, pieces: pieces)
    }

    /// Closes the connection, finished or not.
    package func leave() {
        guard isOpen else { return }
        isOpen = false
        leftAt = microseconds()
        Loop.forget(descriptor)
        close(descriptor)
        changed.open()
    }

    private func more() async throws {
        if let failure = parser.failure { throw failure }
        guard isOpen else { throw WebFailure.broken }
        let timer = Loop.after(milliseconds: Self.patience * 1000) { [weak self] in
            self?.parser.fail(.silent)
            self?.changed.open()
        }
        defer { timer.cancel() }
        try await changed.pass()
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if readiness.contains(.writable) { send() }
        guard !readiness.isDisjoint(with: [.readable, .hangUp, .failed]), isReading else { return }
        receive()
        changed.open()
    }

    private func send() {
        let count = output[sent...].prefix(pause == nil ? .max : 1).withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        // A server that answers early takes no more; its answer counts.
        if count > 0 { sent += count }
        if sent == output.count || (count < 0 && errno != EAGAIN) {
            isSending = false
            try? Loop.rewatch(descriptor, for: interest)
        } else if let pause {
            isSending = false
            try? Loop.rewatch(descriptor, for: interest)
            Loop.after(milliseconds: pause) { [weak self] in self?.sendOn() }
        }
    }

    private func sendOn() {
        guard isOpen else { return }
        isSending = true
        try? Loop.rewatch(descriptor, for: interest)
    }

    private var interest: Readiness {
        var interest: Readiness = []
        if isReading { interest.insert(.readable) }
        if isSending { interest.insert(.writable) }
        return interest
    }

    private func receive() {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0, errno == EAGAIN { return }
            if count <= 0 {
                parser.end(isClean: count == 0)
                return end()
            }
            parser.append(bytes[..<count], at: microseconds())
        }
    }

    private func end() {
        guard isOpen else { return }
        isOpen = false
        Loop.forget(descriptor)
        close(descriptor)
    }
}
