internal import HTTPClient
internal import OpenAI
internal import Providers

/// What a chat asks of a candidate.
extension Chat {
    func openStream(of candidate: Candidate) async throws -> ProviderStream {
        guard case .remote(let provider) = candidate.provider.endpoint else {
            return ProviderStream(quote().events())
        }
        let call = call(candidate, isStream: true)
        let transfer = try await inquiry.ask(candidate, provider, try provider.chat(call))
        return ProviderStream(transfer, provider, Question(call, completionID: id))
    }

    func completion(of candidate: Candidate) async throws -> ProviderCompletion {
        guard case .remote(let provider) = candidate.provider.endpoint else {
            return quotedCompletion()
        }
        let call = call(candidate, isStream: false)
        let body = try await inquiry.answer(of: candidate, provider, to: try provider.chat(call))
        return try provider.completion(body, to: Question(call, completionID: id))
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
        return Extractive.answer(
            to: request.lastUserText, from: evidence.quotable,
            limit: inquiry.model.adjustments.maximumTokens(in: request))
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
