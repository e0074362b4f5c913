internal import EventLoop
internal import FastCGI
internal import HTTP
internal import OpenAI
internal import PostgreSQL
internal import Store

/// What a request wants of a model. All routes to a model share these stations: the candidates are asked (see
/// `Attempts`), and what was used is recorded once, however the request ends.
@LoopActor
final class Inquiry {
    /// Bytes of a provider's error reply that are looked at, and of a whole answer.
    static let errorLimit = 64 * 1024
    static let answerLimit = 64 << 20
    /// Milliseconds that a provider gets to say why it refuses, once it has refused.
    static let explanation = 2000

    let exchange: Exchange
    let worker: Worker
    /// The model's id as the caller wrote it.
    let asked: String
    let model: ServedModel
    let isSideRequest: Bool
    /// In the order in which they are asked.
    private(set) var candidates: [Candidate]
    /// The member of the request that is too long when a provider says that its window is too small.
    let prompt: String
    /// The latest one.
    var attempt: Attempt?
    /// When all attempts must have ended, in monotonic milliseconds.
    var deadline = Int64.max

    /// An inquiry of a model that was found for the caller.
    init(
        _ exchange: Exchange, _ worker: Worker, _ model: ServedModel, asked: String, prompt: String,
        isSideRequest: Bool = false
    ) {
        self.exchange = exchange
        self.worker = worker
        self.model = model
        self.asked = asked
        self.prompt = prompt
        var random = SystemRandomNumberGenerator()
        candidates = model.candidates.drawn(using: &random)
        self.isSideRequest = isSideRequest
        exchange.findings.model = asked
        exchange.findings.isSideRequest = isSideRequest
    }

    /// Asks only candidates that have a language model. Throws when there is none.
    func passOverEmbedded() throws(APIError) {
        candidates.removeAll { $0.provider.isEmbedded }
        guard candidates.isEmpty, !model.candidates.isEmpty else { return }
        throw .invalidValue(
            "model", "it only quotes documents; name one that has a language model behind it")
    }

    /// Runs the stations behind admission. `record` is told how they ended if they threw.
    func run(
        _ stations: () async throws -> Answer, record: (Progress.End) async -> Void
    ) async throws -> Answer {
        do {
            return try await stations()
        } catch {
            await record(Progress.End(error))
            throw error
        }
    }

}

extension Progress.End {
    /// The end that an error is.
    init(_ error: any Error) {
        self =
            Self.isCut(error) ? .incomplete : .failed(APIError(of: error).status.rawValue)
    }

    /// The caller has gone, or this worker goes: nothing has failed.
    static func isCut(_ error: any Error) -> Bool {
        error is CancellationError || error is ReplyError
    }
}

/// Station 12.
extension Inquiry {
    /// Records how it ended and what was used; nil for nothing. What else must be stored, `storing` stores first. Once
    /// for each request, whatever became of it, in a task of its own: it happens although the caller has left.
    func record(
        _ end: Progress.End, _ usage: OpenAI.Usage?,
        storing: (@LoopActor @Sendable () async -> Void)? = nil
    ) async {
        guard exchange.progress.end(end, callerHasLeft: exchange.connection.hasDeparted) else {
            return
        }
        let usage =
            usage ?? OpenAI.Usage(promptTokens: 0, completionTokens: 0, source: .estimated)
        exchange.findings.usage = usage
        let row = row(end, usage)
        await spawn { [worker] in
            await storing?()
            await worker.ledger.add(row)
        }.value
    }

    private func row(_ end: Progress.End, _ usage: OpenAI.Usage) -> UsageRow {
        var row = UsageRow(
            id: Identifier.make("usage"), createdAt: .now, requestID: exchange.requestID,
            route: exchange.route)
        row.userID = exchange.identity?.user?.id
        row.tokenID = exchange.identity?.tokenID
        row.model = asked
        row.provider = exchange.findings.provider
        row.providerModel = exchange.findings.providerModel
        row.kind = isSideRequest ? .side : .request
        row.promptTokens = usage.promptTokens
        row.completionTokens = usage.completionTokens
        row.totalTokens = usage.totalTokens
        row.source = UsageRow.Source(rawValue: usage.source.rawValue) ?? .estimated
        row.ended = end.ended
        row.status = exchange.progress.status ?? end.status
        row.firstEventMilliseconds = exchange.findings.firstEventAt.map {
            Int($0 - exchange.acceptedAt)
        }
        row.durationMilliseconds = exchange.elapsed
        return row
    }
}
