internal import HTTPClient
internal import OpenAI
internal import Providers

/// What a chat asks of a candidate.
extension Chat {
    func openStream(of candidate: Candidate) async throws -> ProviderStream {
        guard case .remote(let provider) = candidate.provider.endpoint else {
            return ProviderStream(quote().events())
        }
        let (transfer, question, warning) = try ask(candidate, provider, isStream: true)
        try await inquiry.accept(transfer, by: provider)
        if let warning { exchange.warn(warning) }
        return ProviderStream(transfer, provider, question)
    }

    func completion(of candidate: Candidate) async throws -> ProviderCompletion {
        guard case .remote(let provider) = candidate.provider.endpoint else {
            return quotedCompletion()
        }
        let (transfer, question, warning) = try ask(candidate, provider, isStream: false)
        let body = try await inquiry.answer(transfer, by: provider)
        if let warning { exchange.warn(warning) }
        return try provider.completion(body, to: question)
    }

    /// Apart, and never inlined: a call is large, and would lie in the task's memory as long as the answer takes.
    @inline(never)
    private func ask(
        _ candidate: Candidate, _ provider: any Provider, isStream: Bool
    ) throws -> (Transfer, Question, warning: String?) {
        let call = call(candidate, isStream: isStream)
        let transfer = try inquiry.ask(candidate) { () throws(APIError) in
            try provider.chat(call)
        }
        return (transfer, Question(call, completionID: id), provider.warning(of: call))
    }

    private func call(_ candidate: Candidate, isStream: Bool) -> ChatCall {
        var call = ChatCall(
            asking, model: candidate.model, isStream: isStream, systemText: systemText)
        call.adjustments = inquiry.model.adjustments
        return call
    }

    /// The embedded provider. It has no mind for side requests; an empty object is what their senders take as
    /// "nothing".
    private func quote() -> Extractive.Answer {
        if inquiry.isSideRequest {
            return Extractive.Answer(saying: "{}")
        }
        let message = request.lastUserText
        let asked = Retrieval.asked(in: message)
        var answer = Extractive.answer(
            to: asked, from: evidence.quotable(for: asked),
            limit: inquiry.model.adjustments.maximumTokens(in: request))
        // Nobody reads the rest; it is charged by its size.
        let rest = (message.utf8.count - asked.utf8.count) / 4
        answer.usage =
            answer.usage + Usage(promptTokens: rest, completionTokens: 0, source: .counted)
        return answer
    }

    private func quotedCompletion() -> ProviderCompletion {
        var draft = ChatDraft()
        var usage: OpenAI.Usage?
        for event in quote().events() {
            switch event {
            case .text(let text): draft.append(text)
            case .choices(let deltas): deltas.forEach { draft.append($0) }
            case .usage(let figures): usage = figures
            default: break
            }
        }
        return ProviderCompletion(choices: draft.completed(), usage: usage)
    }
}
