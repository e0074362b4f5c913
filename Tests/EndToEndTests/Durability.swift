import EventLoop
import TestSupport
import Testing

/// Asks, and keeps everybody from writing into a table once the answer has begun: as long as that lasts the answer must
/// not end. Returns the answer.
@LoopActor @discardableResult func expectDurable(
    _ chat: Chat, _ site: Deployment, table: String,
    begun: @LoopActor () async throws -> Bool
) async throws -> WebReply {
    let user = try await Shared.user()
    let reading = Task { @LoopActor in try await site.answer(chat, user) }
    let isBegun = try await waitUntil { try await begun() }
    #expect(isBegun)
    let lock = Task { @LoopActor in
        try? await site.sql("BEGIN; LOCK TABLE \(table) IN SHARE MODE; SELECT pg_sleep(30)")
    }
    let isHeld = try await waitUntil {
        let waiting = try await site.sql(
            """
            SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\(table)'::regclass
            """)
        return waiting != "0"
    }
    #expect(isHeld, "the gateway stores the answer before it ends it")
    var isEnded = false
    let watching = Task { @LoopActor in
        _ = try? await reading.value
        isEnded = true
    }
    try await Loop.sleep(milliseconds: 300)
    #expect(!isEnded, "the answer ended although it was not stored")
    try await site.sql(
        """
        SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%'
        AND datname = current_database() AND pid <> pg_backend_pid()
        """)
    _ = await (lock.value, watching.value)
    let reply = try await reading.value
    #expect(chat.isStream ? reply.isDone : reply.status == 200)
    return reply
}
