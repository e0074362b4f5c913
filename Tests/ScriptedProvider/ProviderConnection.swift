import EventLoop
import Foundation
import HTTP
import JSON

/// One client's connection: reads requests, plays the script of each, one after the other.
@LoopActor final class ProviderConnection: Watcher {
    private let descriptor: Int32
    private let number: Int
    private unowned let server: ProviderServer
    private var isOpen = true
    private var reader = RequestReader()
    private var output: [UInt8] = []
    private var sent = 0
    private var isBlocked = false
    private var player: Player?
    private var timer: EventLoop.Timer?

    private static let highWater = 128 << 10
    private static var scratch = [UInt8](repeating: 0, count: 64 << 10)

    init(_ descriptor: Int32, number: Int, server: ProviderServer) {
        self.descriptor = descriptor
        self.number = number
        self.server = server
    }

    func start() {
        try? Loop.watch(descriptor, for: [.readable], by: self)
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if readiness.contains(.writable) {
            flush()
            play()
        }
        if isOpen, !readiness.isDisjoint(with: [.readable, .hangUp, .failed]) { receive() }
    }

    private func receive() {
        let count = recv(descriptor, &Self.scratch, Self.scratch.count, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN { return }
            return close()
        }
        reader.append(Self.scratch[..<count])
        serve()
    }

    /// Begins the next request if none is being answered.
    private func serve() {
        while isOpen, player == nil, let request = reader.next() {
            if request.path.hasPrefix("/_recorded") {
                recorded(request)
            } else {
                begin(request)
            }
        }
    }

    private func recorded(_ request: Request) {
        if request.method == .delete { server.clear() }
        let count = request.path.split(separator: "?").last.flatMap { Int($0) } ?? Int.max
        let list = Value.array(server.recorded.suffix(count).map(\.value)).encoded()
        output += Player.reply(status: 200, fields: [], body: list)
        flush()
    }

    private func begin(_ request: Request) {
        let document = try? Document(request.body)
        let model = document?.root["model"]?.string
        let id = server.record(
            Recorded(
                id: 0, connection: number, method: request.method.name, path: request.path,
                fields: request.fields, body: request.body, model: model, started: microseconds(),
                port: peer))
        let earlier = model.map { server.count($0) } ?? 0
        player = Player(request, document?.root, earlier: earlier, recordID: id)
        play()
    }

    /// The client's port.
    private var peer: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(descriptor, $0, &length)
            }
        }
        return code == 0 ? UInt16(bigEndian: address.sin_port) : 0
    }

    /// Plays steps until the script waits, the socket is full, or the reply is whole.
    private func play() {
        while isOpen, !isBlocked, timer == nil, let player {
            switch player.next(into: &output) {
            case .more:
                if output.count - sent >= Self.highWater { flush() }
            case .wait(let milliseconds):
                flush()
                if isOpen { wait(milliseconds) }
            case .forever:
                return flush()
            case .end:
                flush()
                ended(early: false)
                serve()
            case .cut:
                flush()
                close(early: false)
            case .reset:
                flush()
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, 8)
                close(early: false)
            }
        }
    }

    private func wait(_ milliseconds: Int) {
        timer = Loop.after(milliseconds: milliseconds) {
            self.timer = nil
            self.play()
        }
    }

    private func flush() {
        guard isOpen, sent < output.count else { return }
        let count = output[sent...].withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count < 0, errno != EAGAIN { return close() }
        sent += max(0, count)
        let isDone = sent == output.count
        if isDone {
            output.removeAll(keepingCapacity: output.capacity <= Self.highWater)
            sent = 0
        }
        guard isBlocked == isDone else { return }
        isBlocked = !isDone
        try? Loop.rewatch(descriptor, for: isDone ? [.readable] : [.readable, .writable])
    }

    private func ended(early: Bool) {
        guard let player else { return }
        self.player = nil
        server.recordEnd(of: player.recordID) {
            $0.ended = microseconds()
            $0.closedEarly = early
            $0.pieces = player.pieces
            $0.counted = player.counted
        }
    }

    func close() { close(early: true) }

    private func close(early: Bool) {
        guard isOpen else { return }
        isOpen = false
        timer?.cancel()
        timer = nil
        ended(early: early)
        Loop.forget(descriptor)
        Glibc.close(descriptor)
        server.closed(descriptor)
    }
}
