package import EventLoop

/// LISTEN on a session of its own, for ever: a lost one is replaced, with back-off.
///
/// Notifications sent while there was no session are gone: see `Events`.
///
/// A PgBouncer in transaction mode takes LISTEN and then swallows what is sent. So every few seconds a
/// notification of our own goes out on another session; only while it comes in is anybody told that
/// the listener listens.
@LoopActor package final class NotificationListener {
    /// What it tells.
    package struct Events {
        /// The session is (again) ready, the first time too: what was asked before may be stale.
        package var gap: @LoopActor () -> Void = {}
        /// Notifications cease to arrive.
        package var loss: @LoopActor () -> Void = {}
        /// There is a session, and they do not arrive all the same.
        package var deafness: @LoopActor () -> Void = {}
        package var notification: @LoopActor (_ channel: String, _ payload: String) -> Void

        /// A listener for notifications alone.
        package init(
            notification: @escaping @LoopActor (_ channel: String, _ payload: String) -> Void
        ) {
            self.notification = notification
        }
    }

    private var settings: Settings?
    private let channels: [String]
    /// Whose sessions send what the listener must hear.
    private let sender: Pool
    private let events: Events
    private let echo = Gate()
    private var awaited: String?
    private var connection: Connection?
    private var backOff = BackOff()
    private var timer: EventLoop.Timer?
    private var isClosed = false
    /// Milliseconds between two questions whether the server is still there, and for each answer.
    private let heartbeat = 5000
    private let patience = 2000
    private static let echoChannel = "archway_echo"

    /// Notifications arrive now. False: a cache may be stale without a word.
    package private(set) var isListening = false
    /// When notifications were last seen to arrive, in monotonic milliseconds (`Loop.now`).
    package private(set) var heardAt: Int64 = 0

    /// Starts at once; `channels` are lower-case SQL identifiers. `settings` were made, and names resolved, before
    /// the loop runs; nil never listens.
    package init(
        settings: Settings?, sender: Pool, channels: [String], events: Events
    ) {
        self.settings = settings
        self.sender = sender
        self.channels = channels
        self.events = events
        spawn { [self] in await listen() }
    }

    /// Ends the session and calls nothing any more.
    package func close() {
        isClosed = true
        isListening = false
        timer?.cancel()
        connection?.close()
        connection = nil
    }

    private func listen() async {
        guard let settings, !isClosed else { return }
        do {
            let connection = try await Connection(settings, statementTimeout: patience)
            self.connection = connection
            connection.onNotification = { [weak self] in self?.received($0, $1) }
            connection.onIdleLoss = { [weak self] _ in
                // Up to its end the session would have told us.
                if self?.isListening == true { self?.heardAt = Loop.now }
                self?.retry()
            }
            for channel in channels + [Self.echoChannel] {
                let name = channel.replacing("\"", with: "\"\"")
                try await connection.runScript("LISTEN \"\(name)\"")
            }
            guard !isClosed else { return connection.close() }
            backOff.reset()
            await check()
        } catch {
            retry()
        }
    }

    private func received(_ channel: String, _ payload: String) {
        guard channel == Self.echoChannel else { return events.notification(channel, payload) }
        guard payload == awaited else { return }
        awaited = nil
        echo.open()
    }

    /// A server that hangs, or a network that swallows packets, closes nothing: ask.
    private func check() async {
        guard let connection, !isClosed else { return }
        do { _ = try await connection.query(.stillThere) } catch { return retry() }
        let askedAt = Loop.now
        switch await hearsEcho() {
        case true?:
            heardAt = askedAt
            if !isListening, !isClosed {
                isListening = true
                events.gap()
            }
        case false?:
            lose()
            events.deafness()
        case nil: break
        }
        schedule(isListening ? heartbeat : heartbeat / 5) { await $0.check() }
    }

    /// Whether a notification from another session arrives; nil if none could be sent.
    private func hearsEcho() async -> Bool? {
        let word = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        awaited = word
        do {
            _ = try await sender.query(.notify, [.text(Self.echoChannel), .text(word)])
        } catch {
            return nil
        }
        let limit = Loop.after(milliseconds: patience) { [echo] in echo.open() }
        defer { limit.cancel() }
        while awaited == word, limit.isPending { try? await echo.pass() }
        return awaited != word
    }

    private func lose() {
        guard isListening else { return }
        isListening = false
        events.loss()
    }

    private func retry() {
        guard !isClosed else { return }
        lose()
        connection?.close()
        connection = nil
        settings?.rotate()
        schedule(backOff.next()) { await $0.listen() }
    }

    private func schedule(
        _ milliseconds: Int, _ body: @escaping @LoopActor (NotificationListener) async -> Void
    ) {
        timer?.cancel()
        timer = Loop.after(milliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            spawn { await body(self) }
        }
    }
}

extension Statement {
    static let stillThere = Statement("still there", "SELECT 1")
    fileprivate static let notify = Statement("notify", "SELECT pg_notify($1, $2)")
}
