import EventLoop
import Foundation

/// What a connection tells whoever opened it.
@LoopActor protocol LoadDelegate: AnyObject {
    func replied(_ part: ReplyReader.Part)
    /// The connection is gone; never called after `close`.
    func disconnected(_ kind: String)
}

/// A client's connection to 127.0.0.1, raw and without blocking.
@LoopActor final class LoadConnection: Watcher {
    private var descriptor: Int32 = -1
    private var reader = ReplyReader()
    private weak var delegate: (any LoadDelegate)?
    private static var scratch = [UInt8](repeating: 0, count: 64 << 10)

    init(port: UInt16, delegate: any LoadDelegate) {
        self.delegate = delegate
        // Connecting on loopback does not wait unless the listener's queue is full.
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = descriptor
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, length) == 0
            }
        }
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        guard isConnected else {
            Loop.after(milliseconds: 0) { self.fail("connect") }
            return
        }
        try? Loop.watch(socket, for: .readable, by: self)
    }

    /// Requests are small: the socket takes them whole.
    func send(_ request: [UInt8]) {
        guard descriptor >= 0 else { return }
        let count = request.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count != request.count { fail("send") }
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        let count = recv(descriptor, &Self.scratch, Self.scratch.count, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN { return }
            return fail(count == 0 && !reader.isInside ? "closed" : "broken")
        }
        reader.append(Self.scratch[..<count])
        while self.descriptor >= 0, let part = reader.next() { delegate?.replied(part) }
    }

    private func fail(_ kind: String) {
        close()
        delegate?.disconnected(kind)
    }

    func close() {
        guard descriptor >= 0 else { return }
        Loop.forget(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
    }
}
