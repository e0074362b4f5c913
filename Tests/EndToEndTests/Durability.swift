import EventLoop
import Foundation
import TestSupport
import Testing

/// Asks, and keeps everybody from writing into a table once the answer has begun: as long as that lasts the answer must
/// not end. Returns the answer.
///
/// The gateway waits a second for the database and then goes on without it. What a busy machine shows later than that
/// says nothing, and another chat is asked: `chat` makes one of a number, and `begun` says of it that it has begun.
@LoopActor @discardableResult func expectDurable(
    _ site: Deployment, table: String, _ chat: (Int) -> Chat,
    begun: @LoopActor (Int) async throws -> Bool
) async throws -> (number: Int, reply: WebReply) {
    let user = try await Shared.user()
    for number in 0..<5 {
        let chat = chat(number)
        let reading = Task { @LoopActor in try await site.answer(chat, user) }
        let isBegun = try await waitUntil { try await begun(number) }
        #expect(isBegun)
        var isEnded = false
        let watching = Task { @LoopActor in
            _ = try? await reading.value
            isEnded = true
        }
        var isShown = false
        try await site.withLock(on: table, "SHARE") {
            guard let since = try await site.awaited(table) else { return }
            try await Loop.sleep(milliseconds: 50)
            let hasEnded = isEnded
            isShown = Date().timeIntervalSince1970 - since < 0.9
            if isShown { #expect(!hasEnded, "the answer ended although it was not stored") }
        }
        await watching.value
        let reply = try await reading.value
        #expect(chat.isStream ? reply.isDone : reply.status == 200)
        if isShown { return (number, reply) }
    }
    throw Deployment.Failure(description: "the gateway does not store the answer before it ends it")
}
