internal import EventLoop
internal import JSON
internal import OpenAI
internal import Providers

/// Between stations 10 and 11, for models with `validate`: whether the answer is the JSON that was asked for.
extension Chat {
    /// The answer is held back until it was checked. The continuation of a text that the caller has begun is no JSON
    /// of its own.
    var isChecked: Bool {
        inquiry.model.validates && format != nil && request.messages.last?.role != .assistant
    }

    /// Has the question answered by `ask`, and once more, with what is wrong, if the answer does not fit. Throws if
    /// the second does not fit either; nothing of them was sent then.
    func checked(_ ask: () async throws -> Void) async throws {
        try await ask()
        guard let (text, fault) = misfit else { return }
        spent = usage
        answer = ChatAnswer(filtering: nil)
        asking = try request.adding(answer: text, reply: ResponseFormat.complaint(fault))
        exchange.findings.isAskedAgain = true
        try await ask()
        guard let (_, fault) = misfit else { return }
        throw ProviderFailure(
            .formatMissed(fault), isRetriable: false, permitsFailover: false,
            detail: "two answers that do not fit response_format")
    }

    private var misfit: (text: String, fault: String)? {
        guard isChecked, let format else { return nil }
        switch format.check(answer.choices) {
        case .fits: return nil
        case .misfit(let text, let fault): return (text, fault)
        case .unchecked(let reason):
            worker.log.event(
                "answer_unchecked",
                [
                    Member("request_id", .string(exchange.requestID)),
                    Member("detail", .string(reason)),
                ])
            exchange.warn("the answer could not be checked against its schema")
            return nil
        }
    }
}
