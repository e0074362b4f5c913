package import EventLoop

/// LISTEN on a session of its own, for ever: a lost one is replaced, with back-off.
///
/// Notifications sent while there was no session are gone. So `onGap` is called each time the session
/// is (again) ready, the first time too: caches filled before must be emptied then. A PgBouncer in
/// transaction mode cannot carry LISTEN; point the listener at the server itself.
@LoopActor package final class NotificationListener {
    private var settings: Settings?
    private let channels: [String]
    private let onGap: @LoopActor () -> Void
    private let onNotification: @LoopActor (_ channel: String, _ payload: String) -> Void
    private var connection: Connection?
    private var backOff = BackOff()
    private var timer: EventLoop.Timer?
    private var isClosed = false
    /// Milliseconds between two questions whether the server is still there, and for each answer.
    private let heartbeat = 5000
    private let patience = 2000

    /// Notifications arrive now. False: a cache may be stale without a word.
    package private(set) var isListening = false

    /// Starts at once; `channels` are lower-case SQL identifiers.
    package convenience init(
        conninfo: String, channels: [String], onGap: @escaping @LoopActor () -> Void,
        onNotification: @escaping @LoopActor (_ channel: String, _ payload: String) -> Void
    ) {
        self.init(
            settings: try? Settings(conninfo: conninfo, resolvesNames: false), channels: channels,
            onGap: onGap, onNotification: onNotification)
    }

    /// As above, with settings made (and names resolved) before the loop runs; nil never listens.
    package init(
        settings: Settings?, channels: [String], onGap: @escaping @LoopActor () -> Void,
        onNotification: @escaping @LoopActor (_ channel: String, _ payload: String) -> Void
    ) {
        self.settings = settings
        self.channels = channels
        self.onGap = onGap
        self.onNotification = onNotification
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
            connection.onNotification = { [weak self] in self?.onNotification($0, $1) }
            connection.onIdleLoss = { [weak self] _ in self?.retry() }
            for channel in channels {
                let name = channel.replacing("\"", with: "\"\"")
                try await connection.runScript("LISTEN \"\(name)\"")
            }
            guard !isClosed else { return connection.close() }
            backOff.reset()
            isListening = true
            onGap()
            schedule(heartbeat) { await $0.check() }
        } catch {
            retry()
        }
    }

    /// A server that hangs, or a network that swallows packets, closes nothing: ask.
    private func check() async {
        guard let connection, !isClosed else { return }
        do {
            _ = try await connection.query(.stillThere)
            schedule(heartbeat) { await $0.check() }
        } catch {
            retry()
        }
    }

    private func retry() {
        guard !isClosed else { return }
        isListening = false
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
}
