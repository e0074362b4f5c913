internal import EventLoop
internal import FastCGI
internal import HTTP
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// One chat completion on its way from the decoded request to the recorded answer.
@LoopActor
final class Chat {
    let exchange: Exchange
    let worker: Worker
    let request: ChatCompletionRequest
    let model: ServedModel
    let isSideRequest: Bool
    let id = Identifier.make("chatcmpl", separator: "-")
    let created = Int(Timestamp.now.seconds)
    let dialect: CitationDialect

    var evidence = Evidence.none
    var recall: Recall?
    var answer: ChatAnswer
    private var isRecorded = false

    /// Stations 5 and 6: decodes the request and finds its model.
    init(_ exchange: Exchange, _ worker: Worker, _ identity: Identity) throws(APIError) {
        self.exchange = exchange
        self.worker = worker
        let type = exchange.request.fields["content-type"]?.lowercased() ?? "application/json"
        guard type.hasPrefix("application/json") else { throw .unsupportedMediaType }
        request = try ChatCompletionRequest(exchange.request.body)
        isSideRequest = worker.sideRequest.recognises(request, exchange.request.fields)
        let asked = try worker.models.find(request.model, for: identity)
        if isSideRequest, let substitute = asked.taskModel {
            model = try worker.models.find(substitute, for: identity)
        } else {
            model = asked
        }
        dialect = (asked.retrieval?.dialect ?? .auto).resolved(for: exchange.request.fields)
        answer = ChatAnswer(filtering: nil)
        exchange.findings.model = request.model
        exchange.findings.isSideRequest = isSideRequest
    }

    /// Stations 7 to 12.
    func run(_ identity: Identity) async throws -> Answer {
        do {
            try await recall(identity)
            try await retrieve()
            return request.isStream ? try await stream() : try await complete()
        } catch {
            let isDeparture = Self.isDeparture(error)
            // 499 is nginx's word for a client that closed the connection.
            let status = isDeparture ? 499 : APIError(of: error).status.rawValue
            exchange.findings.status = exchange.findings.status ?? status
            await record(isDeparture ? .incomplete : .failed)
            throw error
        }
    }

    /// The caller has gone, which nobody is to blame for.
    static func isDeparture(_ error: any Error) -> Bool {
        error is CancellationError || error is ReplyError
    }

    /// Station 7. Without the database the answer is still given, and says that it is not kept.
    private func recall(_ identity: Identity) async throws {
        let externalID = try Recall.externalID(
            exchange.request.fields, headers: worker.configuration.conversationHeaders)
        guard let owner = identity.user?.id, !isSideRequest, externalID != nil || request.store
        else { return }
        do {
            let recall = try await Recall.begin(self, owner: owner, externalID: externalID)
            self.recall = recall
            exchange.replyFields["x-conversation-id"] = recall.conversationID
        } catch let error where !(error is CancellationError) {
            exchange.replyFields["x-archway-warning"] = "this conversation is not being stored"
            worker.log.event("conversation_lost", [Log.detail(error)])
        }
    }

    /// Station 9.
    private func retrieve() async throws {
        guard let retrieval = model.retrieval, !isSideRequest else { return }
        let question = request.lastUserText
        guard !question.isEmpty else { return }
        evidence = Evidence(
            passages: try await Retrieval.passages(
                for: question, in: retrieval.collections, limit: retrieval.passages,
                pool: worker.pool))
        answer = ChatAnswer(filtering: evidence.numbers)
    }

    /// Instructions of ours that go before the caller's.
    var systemText: String? {
        guard !isSideRequest else { return nil }
        let parts = [model.systemPrompt, evidence.prompt].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }

    /// The citations of the answer.
    var citations: [Citation] { evidence.citations(answer.cited, dialect) }

    /// The provider's figures, or an estimate that says it is one: four characters a token.
    var usage: OpenAI.Usage {
        answer.usage
            ?? OpenAI.Usage(
                promptTokens: (request.characterCount + (systemText?.count ?? 0) + 3) / 4,
                completionTokens: (answer.characterCount + 3) / 4, source: .estimated)
    }

    /// Station 12. Once for each request, in a task of its own: it happens although the caller has left.
    func record(_ ended: UsageRow.Ended) async {
        guard !isRecorded else { return }
        isRecorded = true
        exchange.findings.ended = ended
        // Refused before any provider was asked: nothing was used, and nothing is kept.
        guard exchange.findings.provider != nil || recall != nil else { return }
        let isCharged = ended != .failed || answer.hasBegun || answer.usage != nil
        let usage =
            isCharged
            ? self.usage : OpenAI.Usage(promptTokens: 0, completionTokens: 0, source: .estimated)
        exchange.findings.usage = usage
        let status: Turn.Status =
            switch ended {
            case .completed: .completed
            case .incomplete: .incomplete
            case .failed: .failed
            }
        let row = usageRow(ended, usage)
        let choice = answer.choices.first
        await spawn { [recall, worker] in
            if let recall {
                do {
                    try await recall.finish(choice, status, in: worker.pool)
                } catch {
                    worker.log.event("turn_lost", [Log.detail(error)])
                }
            }
            await worker.ledger.add(row)
        }.value
    }

    private func usageRow(_ ended: UsageRow.Ended, _ usage: OpenAI.Usage) -> UsageRow {
        var row = UsageRow(
            id: Identifier.make("usage"), createdAt: .now, requestID: exchange.requestID,
            route: exchange.route)
        row.userID = exchange.identity?.user?.id
        row.tokenID = exchange.identity?.tokenID
        row.model = request.model
        row.provider = exchange.findings.provider
        row.providerModel = exchange.findings.providerModel
        row.kind = isSideRequest ? .side : .request
        row.promptTokens = usage.promptTokens
        row.completionTokens = usage.completionTokens
        row.totalTokens = usage.totalTokens
        row.source = UsageRow.Source(rawValue: usage.source.rawValue) ?? .estimated
        row.ended = ended
        row.status = exchange.findings.status ?? 0
        row.firstEventMilliseconds = exchange.findings.firstEventAt.map {
            Int($0 - exchange.acceptedAt)
        }
        row.durationMilliseconds = exchange.elapsed
        return row
    }
}
