import EventLoop
import ScriptedProvider
import TestSupport
import Testing

/// One request that a faulty provider is asked for: what the caller got, what providers were asked, what was charged.
struct Trial {
    var reply: WebReply
    /// The models that were asked for, in order.
    var calls: [String]
    /// Milliseconds between each call and the one before.
    var pauses: [Int]
    /// The request's rows of the ledger: provider's model, end, status, text tokens and where they come from.
    var rows: String

    /// Asks, and waits until all of it is told.
    @LoopActor init(_ chat: Chat, _ site: Deployment, _ user: User) async throws {
        site.provider.clear()
        reply = try await site.answer(chat, user)
        // The row is stored before the reply ends, but nothing keeps a fault from asking once more.
        _ = await site.log.request(reply.requestID)
        let recorded = site.questions
        calls = recorded.map { $0.model ?? "" }
        pauses = zip(recorded, recorded.dropFirst()).map { Int($1.started - $0.started) / 1000 }
        rows = try await site.sql(
            """
            SELECT provider_model, ended, status, prompt_tokens, completion_tokens, source
            FROM usage WHERE request_id = '\(reply.requestID)'
            """)
        #expect(calls.count <= 3, "\(chat.model): \(calls)")
        let isMapped = reply.head["x-archway-model"] == nil || reply.status == 200
        #expect(isMapped, "an error names a model")
    }

    /// The caller got the whole of a good answer, and one row says so.
    func expectAnswer(
        _ text: String, from model: String, _ location: SourceLocation = #_sourceLocation
    ) {
        let comment: Comment = "\(calls) \(reply.status) \(reply.text)"
        #expect(reply.status == 200, comment, sourceLocation: location)
        #expect(reply.content == text, comment, sourceLocation: location)
        let isWhole = reply.isDone || reply.json["object"].string == "chat.completion"
        #expect(isWhole, comment, sourceLocation: location)
        #expect(calls.last == model, comment, sourceLocation: location)
        #expect(reply.head["x-archway-model"] == "scripted/\(model)", sourceLocation: location)
        let tokens = text.split(separator: " ").count
        let isCharged = rows.hasPrefix("\(model)|completed|200|") && rows.hasSuffix("|provider")
        #expect(isCharged, "\(rows)", sourceLocation: location)
        #expect(rows.contains("|\(tokens)|provider"), "\(rows)", sourceLocation: location)
    }

    /// The caller got an error in place of an answer, and one row says that nothing was used.
    func expectError(
        _ expected: Expected, from model: String, _ location: SourceLocation = #_sourceLocation
    ) {
        expected.check(reply, location)
        #expect(calls.last == model, "\(calls)", sourceLocation: location)
        let row = "\(model)|failed|\(expected.status)|0|0|estimated"
        #expect(rows == row, sourceLocation: location)
    }

    /// The caller got so many words, then an error in band and no end; one row has what was said.
    func expectBreak(
        after words: Int, _ code: String, from model: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(reply.status == 200, sourceLocation: location)
        let texts = reply.events.compactMap(\.content).filter { !$0.isEmpty }
        #expect(texts.count == words, sourceLocation: location)
        let last = reply.events.last?.json
        #expect(last?["error"]["code"].string == code, "\(reply.text)", sourceLocation: location)
        #expect(!reply.isDone, sourceLocation: location)
        #expect(calls == [model], sourceLocation: location)
        let isCharged = rows.hasPrefix("\(model)|failed|200|") && rows.hasSuffix("|estimated")
        #expect(isCharged && !rows.contains("|0|"), "\(rows)", sourceLocation: location)
    }
}
