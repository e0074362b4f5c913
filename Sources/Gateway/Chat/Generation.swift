internal import EventLoop
internal import HTTP
internal import OpenAI
internal import Providers
internal import Store

/// An answer that a model writes, on its way from the provider to the caller. Chat and text completions differ in what
/// they ask and in what goes with the text; the way is the same.
@LoopActor
protocol Generation: AnyObject {
    associatedtype Request: CompletionRequest

    var inquiry: Inquiry { get }
    var request: Request { get }
    var form: CompletionForm { get }
    /// Of the reply and of each chunk.
    var id: String { get }
    /// Unix seconds.
    var created: Int { get }
    /// What was said so far.
    var answer: ChatAnswer { get set }
    /// How many answers the caller gets.
    var choiceCount: Int { get }
    /// Goes on with the provider although the caller has left.
    var finishesAlone: Bool { get }
    /// Characters that the model reads, of the caller's and of ours.
    var promptCharacterCount: Int { get }
    /// The answer is held back until `checked` has seen it.
    var isChecked: Bool { get }
    /// What answers cost that were not good enough.
    var spent: OpenAI.Usage? { get }

    /// Asks a candidate for a stream. Returns when the provider has accepted the question.
    func openStream(of candidate: Candidate) async throws -> ProviderStream
    /// Asks a candidate for a whole completion.
    func completion(of candidate: Candidate) async throws -> ProviderCompletion
    /// The body of the reply that is not streamed. May add to the answer.
    func body() -> [UInt8]
    /// What goes before the provider's first word, framed.
    func firstWords(_ template: ChunkTemplate) -> [UInt8]
    /// What goes between the provider's last word and the end of a stream, framed. May add to the answer.
    func lastWords(_ template: ChunkTemplate) -> [UInt8]
    /// Has the question answered by `ask`, once more if the answer is not what was asked for.
    func checked(_ ask: () async throws -> Void) async throws
    /// Station 12.
    func record(_ end: Progress.End) async
}

/// Most answers are sent as they come.
extension Generation {
    var isChecked: Bool { false }
    var spent: OpenAI.Usage? { nil }

    func firstWords(_ template: ChunkTemplate) -> [UInt8] { [] }

    func checked(_ ask: () async throws -> Void) async throws { try await ask() }
}

extension Generation {
    /// Stations 10 to 12.
    func respond() async throws -> Answer {
        request.isStream ? try await stream() : try await complete()
    }

    /// Of all calls. The provider's figures, or an estimate that says it is one: four characters a token.
    var usage: OpenAI.Usage {
        let last =
            answer.usage
            ?? OpenAI.Usage(
                promptTokens: (promptCharacterCount + 3) / 4,
                completionTokens: (answer.characterCount + 3) / 4, source: .estimated)
        return spent.map { $0 + last } ?? last
    }

    /// What is charged for an answer that ended so: nothing more if nothing was said.
    func charge(_ end: Progress.End) -> OpenAI.Usage? {
        end.ended != .failed || answer.hasBegun || answer.usage != nil ? usage : spent
    }

    /// The reply as one JSON text.
    private func complete() async throws -> Answer {
        try await checked {
            try await inquiry.eachCandidate { candidate in
                answer.take(try await completion(of: candidate))
            }
        }
        inquiry.nameModel()
        inquiry.exchange.findings.firstEventAt = Loop.now
        let body = body()
        await record(.completed)
        return .response(.json(body))
    }

    /// The reply as a stream. Once it is open, a failure is told in band, and `[DONE]` only follows what is whole.
    private func stream() async throws -> Answer {
        let (exchange, configuration) = (inquiry.exchange, inquiry.worker.configuration)
        let reply = EventStreamReply(
            exchange, hold: Int(configuration.firstEventHold * 1000),
            keepAlive: Int(configuration.keepAlive * 1000), toleratesDeparture: finishesAlone)
        defer { reply.stop() }
        let relay = ChatRelay(self, reply)
        do {
            try await checked {
                try await inquiry.eachCandidate(unless: { relay.hasBegun }) { candidate in
                    answer.restart()
                    let stream = try await openStream(of: candidate)
                    defer { stream.close() }
                    try await relay.run(stream)
                }
            }
            try await relay.release()
            try await end(reply, relay.template)
        } catch let error
            where reply.isOpen && !reply.isTorn
            && (!Progress.End.isCut(error) || exchange.isCutShort(by: error))
        {
            await record(Progress.End(error))
            exchange.findings.detail = exchange.findings.detail ?? exchange.fullFace(of: error)
            try await reply.finish(
                relay.template.failure(APIError(of: error)),
                despiteCancellation: exchange.isCutShort(by: error))
        }
        return .sent
    }

    /// What follows the provider's last word. The answer is stored before the frames that call it whole go out.
    private func end(_ reply: EventStreamReply, _ template: ChunkTemplate) async throws {
        var output: [UInt8] = []
        answer.end(template, into: &output)
        output += lastWords(template)
        output += template.choices(answer.endings)
        if request.includesUsage { output += template.usage(usage) }
        await record(.completed)
        output += ServerSentEvent.done
        try await reply.finish(output)
    }
}
