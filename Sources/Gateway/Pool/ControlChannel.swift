internal import EventLoop
internal import System

/// What a worker and the master say to each other over a pair of sockets. The end of the channel is a message too: the
/// other side has gone.
@LoopActor
final class ControlChannel: Watcher {
    enum Message: Sendable, Hashable {
        /// A worker accepts requests from now on.
        case ready
        /// A worker's loop turns.
        case alive
        /// What workers remember of the user of this id holds no longer.
        case userChanged(String)
    }

    private let descriptor: Int32
    private let received: @LoopActor (Message) -> Void
    private let ended: @LoopActor () -> Void
    private var isOpen = true
    private var bytes: [UInt8] = []

    /// Takes over `descriptor`, and closes it when this throws.
    init(
        _ descriptor: Int32, received: @escaping @LoopActor (Message) -> Void = { _ in },
        ended: @escaping @LoopActor () -> Void
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.received = received
        self.ended = ended
        do throws(SystemError) {
            try Loop.watch(descriptor, for: [.readable, .hangUp], by: self)
        } catch {
            Descriptor.close(descriptor)
            throw error
        }
    }

    func send(_ message: Message) {
        guard isOpen else { return }
        Descriptor.write(descriptor, message.bytes)
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Loop.forget(descriptor)
        Descriptor.close(descriptor)
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        guard let bytes = Descriptor.read(descriptor) else {
            close()
            ended()
            return
        }
        self.bytes += bytes
        while let message = Message.take(from: &self.bytes) { received(message) }
    }
}

extension ControlChannel.Message {
    private static let readyCode = UInt8(ascii: "R")
    private static let aliveCode = UInt8(ascii: "A")
    /// The length of the id follows in one byte, then the id.
    private static let userChangedCode = UInt8(ascii: "U")

    var bytes: [UInt8] {
        switch self {
        case .ready: [Self.readyCode]
        case .alive: [Self.aliveCode]
        case .userChanged(let id):
            [Self.userChangedCode, UInt8(min(255, id.utf8.count))] + id.utf8.prefix(255)
        }
    }

    /// The first message, once all of it is there; what is none is passed over.
    static func take(from bytes: inout [UInt8]) -> Self? {
        while let first = bytes.first {
            switch first {
            case readyCode: return take(.ready, from: &bytes)
            case aliveCode: return take(.alive, from: &bytes)
            case userChangedCode:
                guard bytes.count > 1, bytes.count >= 2 + Int(bytes[1]) else { return nil }
                let id = String(decoding: bytes[2..<2 + Int(bytes[1])], as: UTF8.self)
                bytes.removeFirst(2 + Int(bytes[1]))
                return .userChanged(id)
            default: bytes.removeFirst()
            }
        }
        return nil
    }

    private static func take(_ message: Self, from bytes: inout [UInt8]) -> Self {
        bytes.removeFirst()
        return message
    }
}
