internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store

/// Connects the token cache to PostgreSQL's notifications, by which a revocation reaches every worker at once.
@LoopActor
final class TokenFeed {
    weak var cache: TokenCache?
    private let log: Log
    private var listener: NotificationListener?
    private var wasDeaf = false

    /// Changes are told now.
    var isFed: Bool { listener?.isListening == true }

    /// Begins to listen. `sender` lends sessions for what the listener must hear to be believed.
    init(_ database: Settings, _ sender: Pool, _ log: Log) {
        self.log = log
        var events = NotificationListener.Events { [weak self] _, payload in
            self?.cache?.forget(payload)
        }
        events.gap = { [weak self] in self?.doubt() }
        events.loss = { [weak self] in self?.doubt() }
        events.deafness = { [weak self] in self?.reportDeafness() }
        listener = NotificationListener(
            settings: database, sender: sender, channels: [Tokens.channel], events: events)
    }

    private func doubt() { cache?.doubtAll(since: listener?.heardAt ?? 0) }

    /// Once is enough: it is how the database was set up, and nothing is wrong but slower.
    private func reportDeafness() {
        guard !wasDeaf else { return }
        wasDeaf = true
        log.event(
            "notifications_missing",
            [
                Member(
                    "detail",
                    .string(
                        "notifications do not pass (a connection pooler in transaction mode?): "
                            + "every request asks the database who it is from"))
            ])
    }
}
