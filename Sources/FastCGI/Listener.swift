internal import CLinux
package import EventLoop
internal import Glibc

/// Accepts connections from the web server on a listening socket that all workers share.
@LoopActor
package final class Listener: Watcher {
    /// Connections that a listener takes at most while it stops.
    private static let lastRounds = 64
    /// Milliseconds after which a listener that could accept nothing tries again.
    private static let pause = 100

    /// Bytes of the largest body that is kept.
    package let bodyLimit: Int
    /// Milliseconds within which a request must have arrived whole.
    package let intakeTimeout: Int
    /// Connections whose reply has not ended.
    package var active: Int { connections.count }
    /// Keeps account of the requests.
    package var register: (any RequestRegister)?
    /// Called when there was no descriptor for a connection, and not again before there was one.
    package var isExhausted: @LoopActor () -> Void = {}
    /// Called when the last reply has ended.
    package var becameIdle: @LoopActor () -> Void = {}

    private var connections: [ObjectIdentifier: Connection] = [:]
    /// Connections with something to send at the end of this turn.
    private var unflushed: [Connection] = []
    private let descriptor: Int32
    private let handle: @LoopActor (Connection) async -> Void
    private var isListening = false
    private var hasStopped = false
    private let idle = Gate()
    /// Given up for a connection when there is no descriptor: whoever comes then is told so, instead of waiting.
    private var reserve = ReservedDescriptor()
    private var hasToldExhaustion = false

    /// Listens on `descriptor`, a non-blocking UNIX stream socket that someone else opened, and runs `handle` in a
    /// task of its own for each request. The task is cancelled when the client goes. A reply that `handle` did not
    /// end is broken off.
    package init(
        _ descriptor: Int32, bodyLimit: Int, intakeTimeout: Int = 60_000,
        handle: @escaping @LoopActor (Connection) async -> Void
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.bodyLimit = bodyLimit
        self.intakeTimeout = intakeTimeout
        self.handle = handle
        reserve.take()
        try listen()
    }

    /// Takes no more connections; those that exist go on. The socket stays open for the other workers.
    package func stop() {
        hasStopped = true
        // The kernel wakes one worker for a connection: it may have been this one, which must leave none lying.
        var rounds = Self.lastRounds
        while isListening, rounds > 0, take() { rounds -= 1 }
        rest()
    }

    /// Cancels what still runs. Whoever is still there can be told so.
    package func cancelAll() {
        for connection in Array(connections.values) { connection.cancel() }
    }

    /// Returns when no connection is left. To be called after `stop`.
    package func drained() async {
        while active > 0 {
            do { try await idle.pass() } catch { return }
        }
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        // One at a time: whoever is busy leaves the next connection to another worker.
        _ = take()
    }

    /// Accepts a connection. False when there is none.
    private func take() -> Bool {
        var connection = accept_connection(descriptor)
        let hasGiven = connection < 0 && (errno == EMFILE || errno == ENFILE) && reserve.give()
        if hasGiven { connection = accept_connection(descriptor) }
        guard connection >= 0 else {
            if errno != EAGAIN && errno != EINTR && errno != ECONNABORTED { pause() }
            if hasGiven { reserve.take() }
            return false
        }
        if hasGiven { tellExhaustion() } else { hasToldExhaustion = false }
        yieldTurn()
        let accepted = Connection(connection, listener: self)
        connections[ObjectIdentifier(accepted)] = accepted
        accepted.begin()
        return true
    }

    private func tellExhaustion() {
        if !hasToldExhaustion { isExhausted() }
        hasToldExhaustion = true
    }

    func serve(_ connection: Connection) -> Task<Void, Never> {
        spawn { [handle] in
            await handle(connection)
            connection.breakOff()
        }
    }

    /// Flushes the connection when this turn of the loop ends.
    func flushLater(_ connection: Connection) {
        if unflushed.isEmpty { Loop.atEndOfTurn { [self] in flushAll() } }
        unflushed.append(connection)
    }

    private func flushAll() {
        let connections = unflushed
        unflushed = []
        for connection in connections { connection.flush() }
        Loop.sent(pieces: connections.count)
    }

    func ended(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        reserve.take()
        guard connections.isEmpty else { return }
        idle.open()
        becameIdle()
    }

    /// The kernel wakes the one that has waited longest since it began to watch the socket: without this always the
    /// same, until it is busy. One worker would carry nearly all that comes one after the other.
    private func yieldTurn() {
        guard isListening else { return }
        rest()
        do { try listen() } catch { pause() }
    }

    private func listen() throws(SystemError) {
        try Loop.watch(descriptor, for: [.readable, .exclusive], by: self)
        isListening = true
    }

    private func rest() {
        guard isListening else { return }
        isListening = false
        Loop.forget(descriptor)
    }

    /// Out of descriptors or memory: trying at once again would only burn the processor.
    private func pause() {
        rest()
        Loop.after(milliseconds: Self.pause) { [weak self] in
            guard let self, !self.hasStopped else { return }
            self.reserve.take()
            do { try self.listen() } catch { self.pause() }
        }
    }
}

/// A descriptor that is held only to be there when no other is.
@LoopActor
private struct ReservedDescriptor {
    private var descriptor: Int32 = -1

    nonisolated init() {}

    /// Takes one, unless it has one or there is none.
    mutating func take() {
        if descriptor < 0 { descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) }
    }

    /// Makes room for another descriptor. False when it had none itself.
    mutating func give() -> Bool {
        guard descriptor >= 0 else { return false }
        close(descriptor)
        descriptor = -1
        return true
    }
}
