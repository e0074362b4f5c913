internal import EventLoop
internal import FastCGI
internal import HTTP

/// A reply of server-sent events. Its status waits for the first event, but not for ever: then the stream opens, and
/// whatever goes wrong later is told in band. Silence is filled with comments, so that no proxy on the way loses
/// patience.
@LoopActor
final class EventStreamReply {
    private static let fields: Fields = [
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
    ]

    private let exchange: Exchange
    /// Milliseconds of silence between two comments.
    private let keepAlive: Int
    /// Goes on without the client: writes are dropped instead of failing.
    private let toleratesDeparture: Bool
    private var timer: Timer?
    private var lastWrite = Loop.now
    private(set) var isOpen = false
    /// A write did not come to its end: perhaps half an event has gone out, behind which nothing can be said.
    private(set) var isTorn = false

    /// `hold` are the milliseconds that the status waits at most.
    init(_ exchange: Exchange, hold: Int, keepAlive: Int, toleratesDeparture: Bool) {
        self.exchange = exchange
        self.keepAlive = keepAlive
        self.toleratesDeparture = toleratesDeparture
        timer = Loop.after(milliseconds: hold) { [weak self] in self?.breakSilence() }
    }

    /// Sends events; the first ones open the stream.
    func write(_ events: [UInt8]) async throws {
        exchange.copy?.append(events)
        try await unlessDeparted {
            try open()
            lastWrite = Loop.now
            isTorn = true
            try await exchange.connection.write(events)
            isTorn = false
        }
    }

    /// As `write`, if the stream is open and needs no waiting; else false, with nothing sent.
    func writeAtOnce(_ events: [UInt8]) -> Bool {
        guard isOpen, exchange.connection.writeAtOnce(events) else { return false }
        exchange.copy?.append(events)
        lastWrite = Loop.now
        return true
    }

    /// Sends the last events and ends the reply as a whole one, also from a task that was cancelled if that is said.
    func finish(_ events: [UInt8], despiteCancellation: Bool) async throws {
        guard despiteCancellation else { return try await finish(events) }
        // The connection notices by itself when the caller leaves.
        await spawn { [self] in try? await finish(events) }.value
    }

    /// Sends the last events and ends the reply as a whole one.
    func finish(_ events: [UInt8]) async throws {
        stop()
        await exchange.settle(ResponseHead(status: .ok, fields: Self.fields), events)
        try await unlessDeparted {
            try open()
            try await exchange.connection.finish(events)
        }
    }

    /// No more comments.
    func stop() {
        timer?.cancel()
        timer = nil
    }

    /// Without the client there is nothing to send, and nothing fails, if this reply goes on without it.
    private func unlessDeparted(_ body: () async throws -> Void) async throws {
        if toleratesDeparture, exchange.connection.hasDeparted { return }
        do {
            try await body()
        } catch {
            guard toleratesDeparture, exchange.connection.hasDeparted else { throw error }
        }
    }

    private func open() throws {
        guard !isOpen else { return }
        try exchange.open(.ok, Self.fields)
        isOpen = true
    }

    /// The stream is silent since `lastWrite`, or was not: the timer is not set anew with each write.
    private func breakSilence() {
        let silence = Int(Loop.now - lastWrite)
        if !isOpen || silence >= keepAlive {
            guard (try? open()) != nil else { return }
            if exchange.connection.writeIfReady(ServerSentEvent.keepAlive) {
                exchange.copy?.append(ServerSentEvent.keepAlive)
            }
            lastWrite = Loop.now
        }
        let rest = keepAlive - Int(Loop.now - lastWrite)
        timer = Loop.after(milliseconds: max(1, rest)) { [weak self] in self?.breakSilence() }
    }
}
