internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// One chat completion on its way from the decoded request to the recorded answer.
@LoopActor
final class Chat: Generation {
    let inquiry: Inquiry
    let request: ChatCompletionRequest
    let form = CompletionForm.chat
    let id = Identifier.make("chatcmpl", separator: "-")
    let createdAt = Timestamp.now
    let dialect: CitationDialect
    /// JSON that the answer must be.
    let format: ResponseFormat?

    var evidence = Evidence.none
    /// What the provider is asked: the caller's request, or that with the complaint about a first answer.
    var asking: ChatCompletionRequest
    var answer = ChatAnswer(filtering: nil)
    /// What answers cost that were not good enough.
    var spent: OpenAI.Usage?
    private var recall: Recall?
    private var isToldOfSpool = false

    var exchange: Exchange { inquiry.exchange }
    var worker: Worker { inquiry.worker }
    var choiceCount: Int { inquiry.model.adjustments.choices(in: request) }
    var finishesAlone: Bool { inquiry.model.finishesAlone }
    var promptCharacterCount: Int { asking.characterCount + (systemText?.count ?? 0) }

    /// Stations 5 and 6: decodes the request and finds its model.
    init(_ exchange: Exchange, _ worker: Worker, _ identity: Identity) throws(APIError) {
        request = try ChatCompletionRequest(try exchange.request.jsonBody)
        let isSideRequest = worker.sideRequest.recognises(request, exchange.request.fields)
        let asked = try worker.models.find(request.model, for: identity)
        var model = asked
        if isSideRequest, let substitute = asked.taskModel {
            model = try worker.models.find(substitute, for: identity)
        }
        asking = request
        format = ResponseFormat(model.adjustments.value("response_format", in: request))
        dialect = (asked.retrieval?.dialect ?? .auto).resolved(for: exchange.request.fields)
        inquiry = Inquiry(
            exchange, worker, model, asked: request.model, prompt: "messages",
            isSideRequest: isSideRequest)
    }

    /// Stations 7 to 12.
    func run(_ identity: Identity) async throws -> Answer {
        try await inquiry.run(
            {
                try await recall(identity)
                try await retrieve()
                return try await respond()
            }, record: record)
    }

    /// Station 7. Without the database the answer is still given, and says that it is not kept.
    private func recall(_ identity: Identity) async throws {
        let externalID = try Recall.externalID(
            exchange.request.fields, headers: worker.configuration.conversationHeaders)
        guard let owner = identity.user?.id, !inquiry.isSideRequest,
            externalID != nil || request.store
        else { return }
        do {
            // Whatever has a beginning must get an end, also if the caller leaves just now.
            let recall = try await undisturbed { [self] in
                try await Recall.begin(self, owner: owner, externalID: externalID)
            }
            self.recall = recall
            exchange.replyFields["x-conversation-id"] = recall.conversationID
            if recall.isSpooled { warnStoredLater() }
            try Task.checkCancellation()
        } catch let error where !(error is CancellationError) {
            warnNotStored()
            worker.log.event("conversation_lost", [Log.detail(error)])
        }
    }

    /// Tells the caller, if the reply has not begun yet.
    private func warnNotStored() {
        exchange.warn("this conversation is not being stored")
    }

    private func warnStoredLater() {
        guard !isToldOfSpool else { return }
        isToldOfSpool = true
        exchange.warn("the database is away; this conversation will be stored when it is back")
    }

    /// Station 9.
    private func retrieve() async throws {
        guard let retrieval = inquiry.model.retrieval, !inquiry.isSideRequest else { return }
        let question = request.lastUserText
        guard !question.isEmpty else { return }
        evidence = Evidence(
            passages: try await Retrieval.passages(
                for: question, in: retrieval.collections, limit: retrieval.passages,
                pool: worker.pool), collections: retrieval.collections)
        // In JSON `[1]` is data and no reference.
        guard format == nil || inquiry.model.quotes else { return }
        answer = ChatAnswer(filtering: evidence.numbers)
    }

    /// Instructions of ours that go before the caller's.
    var systemText: String? {
        guard !inquiry.isSideRequest else { return nil }
        let parts = [inquiry.model.systemPrompt, evidence.prompt].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }

    /// Unix seconds.
    var created: Int { createdAt.seconds }

    /// The owner wants to read the completion again, and it has its place.
    private var isKept: Bool { request.store && recall != nil }

    /// The answer as one object: the reply to a caller who wants no stream, and what is kept of either.
    var completion: ChatCompletion {
        var completion = ChatCompletion(
            id: id, created: created, model: request.model, choices: answer.choices, usage: usage)
        completion.origin = answer.origin
        if dialect != .markdown { completion.citations = citations }
        if isKept { completion.metadata = request.metadata.value }
        return completion
    }

    /// Station 12: the answer's turn goes with the usage, and with it the whole completion if its owner wants that.
    func record(_ end: Progress.End) async {
        guard let recall else { return await inquiry.record(end, charge(end)) }
        let choice = answer.choices.first
        let kept = isKept && end == .completed ? kept(completion.body()) : nil
        await inquiry.record(end, charge(end)) { [self] in
            await store(choice, end, keeping: kept, in: recall)
        }
    }

    private func store(
        _ choice: ChatCompletion.Choice?, _ end: Progress.End, keeping kept: NewCompletion?,
        in recall: Recall
    ) async {
        let status: Turn.Status =
            switch end {
            case .completed: .completed
            case .incomplete: .incomplete
            case .failed: .failed
            }
        switch await recall.finish(choice, status, keeping: kept, in: worker.spool) {
        case .database: break
        case .file: warnStoredLater()
        case .nowhere:
            worker.log.event(
                "turn_lost", [Member("detail", "the conversation was deleted")])
            warnNotStored()
        case .lost: warnNotStored()
        }
    }

    private func kept(_ reply: [UInt8]) -> NewCompletion {
        var new = NewCompletion(id: id, createdAt: createdAt, model: request.model)
        new.metadata = request.metadata.plain.encoded()
        new.messages = request["messages"]?.bytes ?? []
        new.reply = reply
        return new
    }
}
