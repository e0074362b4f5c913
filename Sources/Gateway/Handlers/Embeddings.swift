internal import EventLoop
internal import HTTP
internal import OpenAI
internal import Providers
internal import Store

/// `/v1/embeddings`
@LoopActor
enum Embeddings {
    /// `POST`: one vector for each text.
    static func create(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        let request = try EmbeddingRequest(try exchange.request.jsonBody)
        let model = try worker.models.find(request.model, for: identity)
        let inquiry = Inquiry(exchange, worker, model, asked: request.model, prompt: "input")
        try inquiry.passOverEmbedded()
        let estimate = OpenAI.Usage(
            promptTokens: (request.input.characterCount + 3) / 4, completionTokens: 0,
            source: .estimated)
        return try await inquiry.run(
            {
                let found = try await inquiry.eachCandidate { candidate in
                    try await embeddings(of: candidate, request, inquiry)
                }
                inquiry.nameModel()
                exchange.findings.firstEventAt = Loop.now
                let usage = found.usage ?? estimate
                let list = EmbeddingList(found.embeddings, model: request.model, usage: usage)
                await inquiry.record(.completed, usage)
                return .response(.json(list.body()))
            }, record: { await inquiry.record($0, $0 == .incomplete ? estimate : nil) })
    }

    private static func embeddings(
        of candidate: Candidate, _ request: EmbeddingRequest, _ inquiry: Inquiry
    ) async throws -> ProviderEmbeddings {
        let provider = try candidate.provider.remote
        var call = EmbeddingCall(request, model: candidate.model)
        call.adjustments = inquiry.model.adjustments
        let transfer = try inquiry.ask(candidate) { () throws(APIError) in
            try provider.embeddings(call)
        }
        return try provider.embeddings(
            try await inquiry.answer(transfer, by: provider), to: call)
    }
}
