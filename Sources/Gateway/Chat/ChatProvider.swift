internal import EventLoop
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import Providers

/// Station 10: the candidates in order, until one of them has something to say.
extension Chat {
    /// Bytes of a provider's error reply that are looked at, and of a whole completion.
    private static let errorLimit = 64 * 1024
    private static let completionLimit = 64 << 20

    /// Runs `attempt` for each candidate until one succeeds. Once something was said, there is no other attempt.
    func eachCandidate(_ attempt: (Candidate) async throws -> Void) async throws {
        var last = ProviderFailure(.providerUnreachable, isRetriable: false, detail: "no candidate")
        for candidate in model.candidates {
            exchange.findings.provider = candidate.provider.name
            exchange.findings.providerModel = candidate.model
            do {
                return try await attempt(candidate)
            } catch let error as ProviderFailure {
                last = error
            } catch let error as ClientError {
                last = ProviderFailure(error)
            }
            exchange.findings.detail = "\(candidate.provider.name): \(last.debugDescription)"
            if answer.hasBegun || !last.permitsFailover { break }
        }
        throw last
    }

    /// Asks a candidate for a stream. Returns when the provider has accepted the question.
    func openStream(of candidate: Candidate) async throws -> ProviderStream {
        guard case .remote(let provider) = candidate.provider.endpoint else {
            return ProviderStream(quote().events())
        }
        let call = call(candidate, isStream: true)
        let transfer = try start(provider, candidate, call)
        do {
            try await check(transfer, provider)
        } catch {
            transfer.close()
            throw error
        }
        return ProviderStream(transfer, provider, Question(call, completionID: id))
    }

    /// Asks a candidate for a whole completion.
    func completion(of candidate: Candidate) async throws -> ProviderCompletion {
        guard case .remote(let provider) = candidate.provider.endpoint else {
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
        let call = call(candidate, isStream: false)
        let transfer = try start(provider, candidate, call)
        defer { transfer.close() }
        try await check(transfer, provider)
        let body = try await transfer.body(limit: Self.completionLimit)
        return try provider.completion(body, to: Question(call, completionID: id))
    }

    private func call(_ candidate: Candidate, isStream: Bool) -> ChatCall {
        ChatCall(request, model: candidate.model, isStream: isStream, systemText: systemText)
    }

    private func start(
        _ provider: any Provider, _ candidate: Candidate, _ call: ChatCall
    ) throws -> Transfer {
        let request = try provider.chat(call)
        return try worker.client.start(
            Call(
                method: request.method, url: candidate.provider.baseURL + request.path,
                fields: request.fields, body: request.body,
                deadlines: candidate.provider.deadlines))
    }

    private func check(_ transfer: Transfer, _ provider: any Provider) async throws {
        let head = try await transfer.head()
        if head.status.isSuccess {
            // Somebody's page: a wrong address, or a proxy that wants a sign-in.
            guard head.fields["content-type"]?.lowercased().hasPrefix("text/html") == true else {
                return
            }
            throw ProviderFailure(
                .providerBadResponse, isRetriable: false, detail: "an HTML page")
        }
        let body = (try? await transfer.body(limit: Self.errorLimit)) ?? []
        try Task.checkCancellation()
        throw provider.failure(status: head.status, fields: head.fields, body: body)
    }

    /// The embedded provider. It has no mind for side requests; an empty object is what their senders take as
    /// "nothing".
    private func quote() -> Extractive.Answer {
        if isSideRequest {
            return Extractive.Answer(saying: "{}")
        }
        return Extractive.answer(
            to: request.lastUserText, from: evidence.quotable, limit: request.maximumTokens)
    }
}
