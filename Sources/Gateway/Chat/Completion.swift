internal import EventLoop
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// One text completion on its way from the decoded request to the recorded usage. The prompt goes to the provider as it
/// is, without instructions or passages of ours, and nothing of it is stored: it is no talk.
@LoopActor
final class Completion: Generation {
    let inquiry: Inquiry
    let request: TextCompletionRequest
    let form = CompletionForm.text
    let id = Identifier.make("cmpl", separator: "-")
    let created = Int(Timestamp.now.seconds)
    var answer = ChatAnswer(filtering: nil)

    /// What nobody stores needs nobody to finish it.
    let finishesAlone = false
    var choiceCount: Int { request.choices }
    var promptCharacterCount: Int { request.characterCount }

    /// Stations 5 and 6: decodes the request and finds its model.
    init(_ exchange: Exchange, _ worker: Worker, _ identity: Identity) throws(APIError) {
        request = try TextCompletionRequest(try exchange.request.jsonBody)
        let model = try worker.models.find(request.model, for: identity)
        inquiry = Inquiry(exchange, worker, model, asked: request.model, prompt: "prompt")
        try inquiry.passOverEmbedded()
    }

    /// Stations 10 to 12.
    func run() async throws -> Answer {
        try await inquiry.run({ try await respond() }, record: record)
    }

    func openStream(of candidate: Candidate) async throws -> ProviderStream {
        let provider = try candidate.provider.remote
        let (transfer, question) = try ask(candidate, provider, isStream: true)
        try await inquiry.accept(transfer, by: provider)
        return ProviderStream(transfer, provider, question)
    }

    func completion(of candidate: Candidate) async throws -> ProviderCompletion {
        let provider = try candidate.provider.remote
        let (transfer, question) = try ask(candidate, provider, isStream: false)
        return try provider.completion(
            try await inquiry.answer(transfer, by: provider), to: question)
    }

    private func ask(
        _ candidate: Candidate, _ provider: any Provider, isStream: Bool
    ) throws -> (Transfer, Question) {
        var call = TextCall(request, model: candidate.model, isStream: isStream)
        call.adjustments = inquiry.model.adjustments
        let transfer = try inquiry.ask(candidate) { () throws(APIError) in
            try provider.text(call)
        }
        return (transfer, Question(call, completionID: id))
    }

    func body() -> [UInt8] {
        var reply = TextCompletion(
            id: id, created: created, model: request.model, choices: answer.choices, usage: usage)
        reply.origin = answer.origin
        return reply.body()
    }

    func lastWords(_ template: ChunkTemplate) -> [UInt8] { [] }

    func record(_ end: Progress.End) async {
        await inquiry.record(end, charge(end))
    }
}
