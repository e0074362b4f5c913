import EventLoop
import Glibc

/// The web server's end of one FastCGI connection. Waits without blocking the loop, which the tested side runs on too.
@LoopActor
package final class FastCGIClient: Watcher {
    /// How the worker ended the connection.
    package enum Ending: Sendable, Equatable {
        /// With `FCGI_END_REQUEST`, and nothing after it.
        case complete
        /// Closed without it.
        case closed
        /// Reset (`ECONNRESET`), by which a web server knows that the reply is broken.
        case reset
        /// Not at all, within the time that was given.
        case none
    }

    /// What the worker sent.
    package struct Reply: Sendable {
        /// The content of `FCGI_STDOUT`.
        package var output: [UInt8] = []
        package var ending = Ending.none

        /// Status and fields, one a line as received.
        package var head: [String] {
            let text = String(decoding: output, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { return [] }
            return text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        }

        /// What follows the head.
        package var body: [UInt8] {
            guard let end = output.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
            return Array(output[end.upperBound...])
        }

        /// The status code of the head.
        package var status: Int? {
            head.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }

        /// The value of a field of the head.
        package func field(_ name: String) -> String? {
            head.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }.map {
                String($0.dropFirst(name.count + 2))
            }
        }
    }

    private let descriptor: Int32
    private let gate = Gate()
    /// Bytes of a record that is not whole yet.
    private var received: [UInt8] = []
    private var collected = Reply()
    private var isOpen = true

    /// Connects to a worker's socket.
    package init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 else { throw SystemError.last("connect") }
        try Loop.watch(
            descriptor, for: [.readable, .writable, .hangUp, .edgeTriggered], by: self)
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        gate.open()
    }

    /// Sends everything; with `pieces`, so many bytes at a time, and lets the worker look in between. False when the
    /// worker does not take it any more.
    @discardableResult
    package func send(_ bytes: [UInt8], pieces: Int = .max) async -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.prefix(pieces).withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                guard errno == EAGAIN else { return false }
                try? await gate.pass()
                continue
            }
            rest = rest.dropFirst(count)
            if pieces < .max { try? await Loop.sleep(milliseconds: 0) }
        }
        return true
    }

    /// Reads until the worker ends the connection.
    package func reply(seconds: Int = 60) async -> Reply {
        await read(seconds: seconds) { _ in false }
    }

    /// Reads until the output satisfies `isEnough`, or the connection ends.
    package func read(
        seconds: Int = 60, until isEnough: ([UInt8]) -> Bool
    ) async -> Reply {
        let end = Loop.now + Int64(seconds * 1000)
        let timer = Loop.after(milliseconds: seconds * 1000) { [gate] in gate.open() }
        defer { timer.cancel() }
        var piece = [UInt8](repeating: 0, count: 65_536)
        while !isEnough(collected.output), Loop.now < end {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count > 0 {
                received += piece[..<count]
                collect()
            } else if count < 0, errno == EAGAIN {
                try? await gate.pass()
            } else {
                if count < 0 { collected.ending = .reset }
                if collected.ending == .none { collected.ending = .closed }
                break
            }
        }
        return collected
    }

    /// Goes away, as a web server does when its client has.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        Loop.forget(descriptor)
        Glibc.close(descriptor)
    }

    private func collect() {
        var start = 0
        while received.count - start >= 8 {
            let length = Int(received[start + 4]) << 8 | Int(received[start + 5])
            let end = start + 8 + length + Int(received[start + 6])
            guard received.count >= end else { break }
            switch FastCGIRecords.Kind(rawValue: received[start + 1]) {
            case .stdout: collected.output += received[start + 8..<start + 8 + length]
            case .end: collected.ending = received.count == end ? .complete : .closed
            default: break
            }
            start = end
        }
        received.removeFirst(start)
    }
}
