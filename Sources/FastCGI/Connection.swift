internal import CFastCGI
internal import CLinux
package import EventLoop
package import HTTP

/// One connection from the web server: one request, one reply.
///
/// First the records are collected without blocking, then libfcgi parses them, then the reply goes out through
/// libfcgi's streams. The owner's task is cancelled as soon as the web server closes the connection, which is how a
/// departed client shows (nginx never sends `FCGI_ABORT_REQUEST`).
@LoopActor
package final class Connection: Watcher {
    /// What happened to the reply.
    package enum State: Sendable {
        case receiving, received, open, finished, broken
    }

    /// The request. Meaningful once it was received.
    package private(set) var request = HTTP.Request(method: .get, path: "/")
    /// True when the body was larger than the listener's limit and was dropped.
    package private(set) var exceedsBodyLimit = false
    /// True when the body is shorter or longer than `CONTENT_LENGTH` says.
    package private(set) var hasWrongLength = false
    /// True once the web server has closed its end: the client has gone.
    package private(set) var hasDeparted = false
    package private(set) var state = State.receiving

    private let descriptor: Int32
    private let intake: Intake
    private var fastCGI: LibFCGIRequest?
    private var task: Task<Void, Never>?
    private let writable = Gate()
    private var waitsForSpace = false
    private var waitsForFlush = false
    /// Bytes that may be written before the socket must be asked again whether it has room. A new one has.
    private var credit = roomy
    private let listener: Listener
    private var timer: Timer?
    private var resumesReceiving = false
    /// In the listener's register.
    private var place: Int?

    init(_ descriptor: Int32, listener: Listener) {
        self.descriptor = descriptor
        self.listener = listener
        intake = Intake(descriptor, bodyLimit: listener.bodyLimit)
    }

    /// Reads what already lies in the socket; usually that is the whole request.
    func begin() {
        receive()
        guard state != .broken else { return }
        let interest: Readiness =
            state == .receiving ? [.readable, .hangUp, .edgeTriggered] : [.hangUp, .edgeTriggered]
        do {
            try Loop.watch(descriptor, for: interest, by: self)
        } catch {
            // Nobody would notice the client's departure.
            hasDeparted = true
            task?.cancel()
            abandon()
            return
        }
        guard state == .receiving else { return }
        timer = Loop.after(milliseconds: listener.intakeTimeout) { [weak self] in
            guard let self, self.state == .receiving else { return }
            self.abandon()
        }
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if readiness.isGone {
            depart()
            return
        }
        if state == .receiving, readiness.mayRead { receive() }
        if waitsForSpace, readiness.mayWrite { writable.open() }
    }

    private func receive() {
        switch intake.advance() {
        case .more: receiveLater()
        case .waiting: break
        case .refused: abandon()
        case .complete: accept()
        }
    }

    /// A large body: other events first.
    private func receiveLater() {
        guard !resumesReceiving else { return }
        resumesReceiving = true
        Loop.after(milliseconds: 0) { [weak self] in
            guard let self else { return }
            self.resumesReceiving = false
            if self.state == .receiving { self.receive() }
        }
    }

    /// Hands the collected records to libfcgi and starts the task that serves the request.
    private func accept() {
        timer?.cancel()
        guard let fastCGI = LibFCGIRequest(intake) else {
            abandon()
            return
        }
        self.fastCGI = fastCGI
        exceedsBodyLimit = intake.exceedsBodyLimit
        request = RequestParameters(fastCGI.takeParameters()).request(body: [])
        place = listener.register?.began(request.requestID)
        request.body = fastCGI.takeBody(of: intake, connecting: descriptor)
        hasWrongLength = !exceedsBodyLimit && fastCGI.declaredLength != request.body.count
        state = .received
        task = listener.serve(self)
    }

    /// Tells the listener's register how a request is called that came without an id.
    package func name(_ id: String) {
        if let place { listener.register?.name(place, id) }
    }

    /// Tells the listener's register that code of this request is about to run.
    package func works() {
        if let place { listener.register?.works(place) }
    }

    /// Ends the request before its time.
    func cancel() {
        if state == .receiving { abandon() } else { task?.cancel() }
    }

    private func depart() {
        hasDeparted = true
        if state == .receiving {
            abandon()
            return
        }
        Loop.forget(descriptor)
        task?.cancel()
        // The waiting writer need not be that task.
        if waitsForSpace { writable.open() }
    }

    /// Begins the reply. Nothing leaves before the first `write` or `finish`. Throws when the reply was
    /// begun before.
    package func open(_ head: ResponseHead) throws {
        guard state == .received, let fastCGI else { throw ReplyError.notOpen }
        state = .open
        fastCGI.put(ReplyHead.bytes(head))
    }

    /// Sends a piece of the body at once. Suspends while the client reads more slowly than we write;
    /// throws `CancellationError` when it has gone.
    package func write(_ bytes: [UInt8]) async throws {
        let fastCGI = try openReply()
        var start = 0
        repeat {
            let end = min(bytes.count, start + LibFCGIRequest.recordLength)
            try await makeRoom(for: end - start)
            guard fastCGI.send(bytes, start..<end) else { throw lost() }
            start = end
        } while start < bytes.count
    }

    /// As `write`, if that needs no waiting; false, with nothing sent, if it does or cannot be done at all. The piece
    /// leaves at the end of this turn of the loop, with those of other connections: the web server, woken by the
    /// first of them, finds all.
    package func writeAtOnce(_ bytes: [UInt8]) -> Bool {
        let charge = Self.charge(bytes.count)
        guard bytes.count <= LibFCGIRequest.recordLength, charge <= credit, !waitsForSpace,
            let fastCGI = try? openReply()
        else { return false }
        credit -= charge
        fastCGI.put(bytes)
        if !waitsForFlush {
            waitsForFlush = true
            listener.flushLater(self)
        }
        return true
    }

    /// Sends what `writeAtOnce` has put off, unless something else has sent it meanwhile.
    func flush() {
        waitsForFlush = false
        guard state == .open, !hasDeparted, let fastCGI else { return }
        // A lost connection shows to the task at its next write.
        if !fastCGI.flush() { _ = lost() }
    }

    /// Sends a small piece if that needs no waiting; else drops it, and returns false. For comments, which may be lost.
    @discardableResult
    package func writeIfReady(_ bytes: [UInt8]) -> Bool {
        guard state == .open, !waitsForSpace, !hasDeparted, bytes.count <= 1024, isWritable(),
            let fastCGI
        else { return false }
        credit = 0
        guard fastCGI.send(bytes, bytes.indices) else {
            _ = lost()
            return false
        }
        return true
    }

    /// Sends what is left of the body and ends the reply as complete (`FCGI_END_REQUEST`); a small rest goes
    /// out in the same piece as the end. Throws `CancellationError` when the client has gone.
    package func finish(_ rest: [UInt8] = []) async throws {
        // A head that has not left yet may take half of a record.
        let isSmall = rest.count <= LibFCGIRequest.recordLength / 2
        if !isSmall { try await write(rest) }
        let fastCGI = try openReply()
        try await makeRoom(for: LibFCGIRequest.recordLength)
        if isSmall { fastCGI.put(rest) }
        guard fastCGI.end() else { throw lost() }
        // Now the last record may be taken: closing with it unread would reset even this connection.
        intake.discardRest()
        state = .finished
        release()
    }

    /// Ends the reply so that nobody can take it for a complete one. Without effect after `finish`.
    package func breakOff() {
        guard state == .received || state == .open else { return }
        state = .broken
        release()
    }

    private func openReply() throws -> LibFCGIRequest {
        if hasDeparted { throw CancellationError() }
        guard state == .open, let fastCGI else { throw ReplyError.notOpen }
        return fastCGI
    }

    /// A `write` failed: the client has gone, although no event has told so yet.
    private func lost() -> CancellationError {
        hasDeparted = true
        task?.cancel()
        // The waiting writer need not be that task, and no event will tell it any more.
        if waitsForSpace { writable.open() }
        breakOff()
        return CancellationError()
    }

    /// What `makeRoom` may count on.
    private static let roomy = 96 * 1024

    /// POLLOUT on a UNIX socket promises three quarters of its send buffer (about 150 KiB, counted
    /// with the kernel's own overhead), so a record that has credit cannot block libfcgi's `write`.
    private func makeRoom(for count: Int) async throws {
        while credit < Self.charge(count) {
            if isWritable() {
                credit = Self.roomy
                break
            }
            try await waitForSpace()
            // Anything may have happened meanwhile.
            _ = try openReply()
        }
        credit -= Self.charge(count)
    }

    /// Watches for space only meanwhile: else each time that the web server reads would be an event.
    private func waitForSpace() async throws {
        waitsForSpace = true
        try Loop.rewatch(descriptor, for: [.writable, .hangUp, .edgeTriggered])
        defer {
            waitsForSpace = false
            if state == .open, !hasDeparted {
                try? Loop.rewatch(descriptor, for: [.hangUp, .edgeTriggered])
            }
        }
        try await writable.pass()
    }

    /// What a record of so many bytes takes of the send buffer, at the most.
    private static func charge(_ count: Int) -> Int { 2 * count + 1024 }

    private func isWritable() -> Bool {
        var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&question, 1, 0) == 1 && question.revents & Int16(POLLOUT) != 0
    }

    private func abandon() {
        state = .broken
        release()
    }

    private func release() {
        timer?.cancel()
        if let place { listener.register?.ended(place) }
        place = nil
        intake.release()
        fastCGI = nil
        Loop.close(descriptor)
        listener.ended(self)
    }
}

/// Why a reply cannot be continued.
package enum ReplyError: Error, Sendable {
    /// The reply was not begun, was begun twice, or has ended.
    case notOpen
}
