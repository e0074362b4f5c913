internal import CLinux
internal import Glibc
package import EventLoop

/// Accepts connections from the web server on a listening socket that all workers share.
@LoopActor
package final class Listener: Watcher {
    /// Connections that a listener takes at most while it stops.
    private static let lastRounds = 64

    /// Bytes of the largest body that is kept.
    package let bodyLimit: Int
    /// Milliseconds within which a request must have arrived whole.
    package let intakeTimeout: Int
    /// Connections whose reply has not ended.
    package var active: Int { connections.count }

    private var connections: [ObjectIdentifier: Connection] = [:]
    /// Connections with something to send at the end of this turn.
    private var unflushed: [Connection] = []
    private let descriptor: Int32
    private let handle: @LoopActor (Connection) async -> Void
    private var isListening = false
    private var hasStopped = false
    private let idle = Gate()

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

    /// Cancels what still runs, as if each client had gone: what was said is recorded, and every reply breaks visibly.
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
        let connection = accept_connection(descriptor)
        guard connection >= 0 else {
            if errno != EAGAIN && errno != EINTR && errno != ECONNABORTED { pause() }
            return false
        }
        let accepted = Connection(connection, listener: self)
        connections[ObjectIdentifier(accepted)] = accepted
        accepted.begin()
        return true
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
        if connections.isEmpty { idle.open() }
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
        Loop.after(milliseconds: 100) { [weak self] in
            guard let self, !self.hasStopped else { return }
            do { try self.listen() } catch { self.pause() }
        }
    }
}
