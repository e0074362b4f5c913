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
    var isEnded = false
    let watching = Task { @LoopActor in
        _ = try? await reading.value
        isEnded = true
    }
    try await site.withLock(on: table, "SHARE") {
        let isHeld = try await waitUntil { try await site.isAwaited(table) }
        #expect(isHeld, "the gateway stores the answer before it ends it")
        try await Loop.sleep(milliseconds: 300)
        #expect(!isEnded, "the answer ended although it was not stored")
    }
    await watching.value
    let reply = try await reading.value
    #expect(chat.isStream ? reply.isDone : reply.status == 200)
    return reply
}
