internal import CCurl
package import EventLoop
package import HTTP

/// One exchange: the reply's head, then its body piece by piece.
///
/// One task at a time waits on it. Whoever started it closes it, by a `defer` right after.
@LoopActor package final class Transfer {
    /// The body that waits for its reader; beyond this the provider is paused.
    static let capacity = 64 << 10

    private enum End { case complete, failed(ClientError) }

    /// The connection that it uses.
    var socket: Int32?
    /// The ends of that connection, once the request is sent.
    private(set) var ports: Ports?
    /// The reply was whole.
    var isComplete: Bool { if case .complete = end { true } else { false } }
    private let client: Client
    private let deadlines: Deadlines
    private let gate = Gate()
    private var flow: Flow?
    private let started = Loop.now
    /// When the reply must have ended.
    private var limit: Int64
    private var easy: EasyHandle?
    private var timer: Timer?
    private var parser = HeadParser()
    private var buffer: [UInt8] = []
    private var end: End?
    private var refusal: ClientError?
    /// When TCP stood.
    private var connectedAt: Int64?
    private var lastByte: Int64?
    private var isPaused = false
    private var hasTalked = false

    init(_ easy: EasyHandle, client: Client, deadlines: Deadlines) {
        self.easy = easy
        self.client = client
        self.deadlines = deadlines
        limit = started + milliseconds(deadlines.total)
        watchTime()
    }

    /// Status and fields of the final reply (1xx replies are skipped), or why there are none.
    ///
    /// Throws `ClientError`, or `CancellationError` if the task is cancelled.
    package func head() async throws -> ResponseHead {
        while true {
            if let head = parser.head, refusal == nil { return head }
            switch end {
            case .failed(let error): throw error
            case .complete: throw ClientError(.disconnected, "no whole head")
            case nil: try await gate.pass()
            }
        }
    }

    /// All of the body that has arrived and was not read yet; `nil` at its proper end.
    ///
    /// Throws `ClientError` (`.disconnected` for a body cut short) after what came before has been
    /// read, or `CancellationError` if the task is cancelled.
    package func next() async throws -> [UInt8]? {
        while true {
            if !buffer.isEmpty { return take() }
            switch end {
            case .failed(let error): throw error
            case .complete: return nil
            case nil: try await gate.pass()
            }
        }
    }

    /// Hands each piece of the body to `receiver` as it arrives, without waking the task for it. Returns true as soon
    /// as the receiver has returned false, because it wants to wait for something, and false at the body's proper end.
    ///
    /// The receiver is called from inside curl: it must not close this transfer. Throws what it throws, and what
    /// `next` throws.
    package func flow(
        _ receiver: @escaping @LoopActor ([UInt8]) throws -> Bool
    ) async throws -> Bool {
        while !buffer.isEmpty { if try !receiver(take()) { return true } }
        let flow = Flow(receiver)
        self.flow = flow
        defer { self.flow = nil }
        while flow.isGoingOn, end == nil { try await gate.pass() }
        if let error = flow.error { throw error }
        if case .failed(let error) = end, flow.isGoingOn { throw error }
        return !flow.isGoingOn
    }

    /// Who takes the body while it flows.
    private final class Flow {
        private let receiver: @LoopActor ([UInt8]) throws -> Bool
        private(set) var isGoingOn = true
        private(set) var error: (any Error)?

        init(_ receiver: @escaping @LoopActor ([UInt8]) throws -> Bool) {
            self.receiver = receiver
        }

        /// Whether the receiver wants the next piece too.
        @LoopActor func take(_ piece: [UInt8]) -> Bool {
            do { isGoingOn = try receiver(piece) } catch {
                self.error = error
                isGoingOn = false
            }
            return isGoingOn
        }
    }

    /// The whole body; more than `limit` bytes throw `.tooLarge`.
    package func body(limit: Int) async throws -> [UInt8] {
        var whole: [UInt8] = []
        while let piece = try await next() {
            guard whole.count + piece.count <= limit else {
                throw ClientError(.tooLarge, "more than \(limit) bytes")
            }
            if whole.isEmpty { whole = piece } else { whole += piece }
        }
        return whole
    }

    /// Brings the total deadline forward: the reply must end within so many milliseconds from now.
    package func expectEnd(within milliseconds: Int) {
        limit = min(limit, Loop.now + Int64(milliseconds))
        watchTime()
    }

    /// Ends the exchange; the provider's connection is closed at once unless the reply was whole.
    package func close() {
        finish(.failed(ClientError(.disconnected, "closed by ourselves")))
        buffer = []
    }

    private func take() -> [UInt8] {
        let piece = buffer
        buffer = []
        guard isPaused, let easy else { return piece }
        isPaused = false
        lastByte = Loop.now
        client.resume(easy)
        return piece
    }

    /// Called once: hands the easy handle back and wakes the reader.
    private func finish(_ how: End) {
        guard let easy else { return }
        self.easy = nil
        timer?.cancel()
        timer = nil
        end = how
        client.detach(easy)
        gate.open()
    }
}

/// What curl tells us.
extension Transfer {
    /// The request is about to be sent. Returns whether it may be.
    ///
    /// By itself curl sends it once more when a kept connection breaks before the reply. But the provider may have
    /// taken it, and whoever made the call is the one to know how often it may be made.
    /// Nor may it go out on a connection on which something lies already, which would pass for its reply.
    func starts(_ ports: Ports) -> Bool {
        guard self.ports == nil else {
            refusal = ClientError(.disconnected, "a kept connection broke before the reply")
            return false
        }
        hasTalked = client.sockets.hasTalked(ports)
        if !hasTalked { self.ports = ports }
        return !hasTalked
    }

    /// Whether nothing was sent, because of what had come on the connection before: another one may be better.
    func startsAgain() -> Bool {
        defer { hasTalked = false }
        return hasTalked
    }

    /// Whether it may be done with this connection, of which curl wants nothing more, and have left it as it should be
    /// left.
    func mayLeave(_ socket: Int32) -> Bool {
        self.socket == socket && parser.head != nil && !isPaused
    }

    /// TCP stands; what is next is TLS, or the request.
    func connected() {
        guard connectedAt == nil else { return }
        connectedAt = Loop.now
        watchTime()
    }

    /// A line of the head. Returns whether curl should go on.
    func received(headLine: [UInt8]) -> Bool {
        let had = parser.head != nil
        guard parser.take(headLine) else {
            refusal = ClientError(.badResponse, "the reply's head is malformed or too large")
            return false
        }
        guard !had, let head = parser.head else { return true }
        refusal = objection(to: head)
        gate.open()
        return refusal == nil
    }

    private func objection(to head: ResponseHead) -> ClientError? {
        if let coding = head.fields["Content-Encoding"], coding.lowercased() != "identity" {
            return ClientError(.badResponse, "a content coding that was not asked for")
        }
        // curl would unpack it, and hold what comes out of one packed piece whole.
        for coding in head.fields.values("Transfer-Encoding") where coding.lowercased() != "chunked"
        {
            return ClientError(.badResponse, "a transfer coding that was not asked for")
        }
        // curl reads to the connection's end then, and a cut body would look whole.
        if let length = head.fields["Content-Length"], Int(length) == nil {
            return ClientError(.badResponse, "a Content-Length that is no length")
        }
        return nil
    }

    /// A piece of the body. Returns `false` if it was not taken and curl must keep it.
    func received(body: UnsafeRawBufferPointer) -> Bool {
        guard buffer.isEmpty || buffer.count + body.count <= Self.capacity else {
            isPaused = true
            return false
        }
        let isFirst = lastByte == nil
        lastByte = Loop.now
        if isFirst { watchTime() }
        if let flow, flow.isGoingOn, buffer.isEmpty {
            if unsafe !flow.take(Array(body)) { gate.open() }
            return true
        }
        if buffer.isEmpty { gate.open() }
        unsafe buffer.append(contentsOf: body)
        return true
    }

    /// curl has ended the exchange.
    func ended(_ result: CURLcode, systemError: Int) {
        guard result != CURLE_OK else { return finish(.complete) }
        finish(.failed(refusal ?? ClientError(result: result, systemError: systemError)))
    }
}

/// The deadlines: one timer, set at the start, when TCP stands, at the body's first byte, and when it fires too
/// early because of what came meanwhile; not for each chunk.
extension Transfer {
    private func watchTime() {
        guard easy != nil else { return }
        timer?.cancel()
        let due = nextDeadline().due
        let wait = Int(max(0, due - Loop.now))
        timer = Loop.after(milliseconds: wait) { self.timePassed() }
    }

    private func timePassed() {
        guard easy != nil else { return }
        if isPaused { lastByte = Loop.now }
        let (due, phase) = nextDeadline()
        guard Loop.now >= due else { return watchTime() }
        finish(.failed(ClientError(.timedOut(phase), "deadline \(phase)")))
    }

    private func nextDeadline() -> (due: Int64, phase: ClientError.Phase) {
        let silence =
            lastByte.map { ($0 + milliseconds(deadlines.betweenBytes), .betweenBytes) }
            ?? (started + milliseconds(deadlines.firstByte), ClientError.Phase.firstByte)
        let all = [(limit, .total), silence, connecting()].compactMap(\.self)
        return all.min { $0.0 < $1.0 } ?? silence
    }

    /// What runs before the request can be sent.
    private func connecting() -> (Int64, ClientError.Phase)? {
        guard ports == nil, let easy else { return nil }
        guard let connectedAt else {
            return (started + milliseconds(deadlines.connect), .connect)
        }
        let tls = milliseconds(deadlines.tls)
        easy.allowConnecting(milliseconds: connectedAt - started + tls)
        return (connectedAt + tls, .tls)
    }
}
