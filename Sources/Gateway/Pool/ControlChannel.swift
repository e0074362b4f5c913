internal import EventLoop
internal import System

/// What a worker and the master say to each other, one byte a message, over a pair of sockets. The end of the channel
/// is a message too: the other side has gone.
@LoopActor
final class ControlChannel: Watcher {
    /// What a worker says.
    enum Message: UInt8, Sendable {
        /// Requests are accepted from now on.
        case ready = 0x52
        /// The loop turns.
        case alive = 0x41
    }

    private let descriptor: Int32
    private let received: @LoopActor (Message) -> Void
    private let ended: @LoopActor () -> Void
    private var isOpen = true

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
        Descriptor.write(descriptor, [message.rawValue])
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
        for byte in bytes {
            if let message = Message(rawValue: byte) { received(message) }
        }
    }
}
