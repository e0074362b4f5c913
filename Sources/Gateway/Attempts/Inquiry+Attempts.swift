internal import EventLoop
internal import FastCGI
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import Providers

/// Station 10: the candidates, until one of them has something to say.
extension Inquiry {
    /// Runs `ask` for one candidate after the other, as `AttemptPlan` says, until one answers. Once something has
    /// reached the caller there is no other attempt. What a failed candidate wanted in the reply is forgotten.
    func eachCandidate<Result>(
        unless hasBegun: () -> Bool = { false }, _ ask: (Candidate) async throws -> Result
    ) async throws -> Result {
        var plan = AttemptPlan(candidates: candidates.count)
        var verdict = AttemptVerdict()
        let fields = exchange.replyFields
        let longest = candidates.map(\.provider.deadlines.total).max() ?? 0
        deadline = Loop.now + Int64(longest * 1000)
        while let next = plan.next(at: Loop.now, jitter: .random(in: 0...1)) {
            let candidate = candidates[next.index]
            guard try await wait(until: next.time, for: candidate) else { continue }
            do {
                return try await attempt(candidate, ask)
            } catch let refusal as Refusal {
                verdict.note(refusal)
                if !verdict.hasFailure { noteDetail("\(refusal)", of: candidate) }
            } catch let failure as ProviderFailure {
                noteDetail(failure.debugDescription, of: candidate)
                if hasBegun() || !failure.permitsFailover { throw failure }
                exchange.replyFields = fields
                verdict.note(failure)
                plan.failed(next.index, failure, at: Loop.now)
            }
        }
        throw verdict.error
    }

    /// The pause before a repetition. False, at once, if the attempt could not come to pass.
    private func wait(until time: Int64, for candidate: Candidate) async throws -> Bool {
        if max(time, Loop.now) >= deadline { return false }
        let pause = time - Loop.now
        guard pause > 0 else { return true }
        if candidate.provider.admission.isBarred { return false }
        try await Loop.sleep(milliseconds: Int(pause))
        return true
    }

    private func attempt<Result>(
        _ candidate: Candidate, _ ask: (Candidate) async throws -> Result
    ) async throws -> Result {
        let attempt = try Attempt(candidate)
        self.attempt = attempt
        if candidate.provider.isEmbedded { noteCall(of: candidate) }
        do {
            let result = try await ask(candidate)
            attempt.end(.answered)
            return result
        } catch {
            guard let failure = failure(error) else {
                attempt.end(.abandoned)
                throw error
            }
            attempt.end(failure.isOutage ? .failed : .answered)
            throw failure
        }
    }

    /// What a provider's failure is; nil for one that is not the provider's.
    private func failure(_ error: any Error) -> ProviderFailure? {
        guard
            var failure = error as? ProviderFailure
                ?? (error as? ClientError).map({ ProviderFailure($0) })
        else { return nil }
        if failure.error.code == "context_length_exceeded" { failure.error.param = prompt }
        return failure
    }

    private func noteCall(of candidate: Candidate) {
        exchange.findings.provider = candidate.provider.name
        exchange.findings.providerModel = candidate.model
        exchange.findings.attempts += 1
    }

    private func noteDetail(_ detail: String, of candidate: Candidate) {
        exchange.findings.detail = "\(candidate.provider.name): \(detail)"
    }

    /// The answer begins: others may ask its provider too.
    func hear() {
        attempt?.begin()
    }

    /// Tells the caller who answers, if the reply's head is still to come.
    func nameModel() {
        exchange.replyFields["x-archway-model"] = attempt?.candidate.label
    }

    /// Puts a question to a candidate. Whoever asks closes the transfer. `make` says it on the provider's wire.
    func ask(
        _ candidate: Candidate, _ make: () throws(APIError) -> ProviderRequest
    ) throws -> Transfer {
        let request: ProviderRequest
        do throws(APIError) { request = try make() } catch { throw Refusal.inexpressible(error) }
        noteCall(of: candidate)
        var deadlines = candidate.provider.deadlines
        deadlines.total = min(deadlines.total, Double(max(0, deadline - Loop.now)) / 1000)
        return try worker.client.start(
            Call(
                method: request.method, url: candidate.provider.baseURL + request.path,
                fields: request.fields, body: request.body, deadlines: deadlines,
                authorities: candidate.provider.authorities))
    }

    /// Returns when the provider has accepted the question. Closes the transfer if it does not.
    func accept(_ transfer: Transfer, by provider: any Provider) async throws {
        do {
            try await check(transfer, provider)
        } catch {
            transfer.close()
            throw error
        }
    }

    /// Waits for the whole answer.
    func answer(_ transfer: Transfer, by provider: any Provider) async throws -> [UInt8] {
        try await accept(transfer, by: provider)
        defer { transfer.close() }
        let body = try await transfer.body(limit: Self.answerLimit)
        exchange.connection.works()
        return body
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
        transfer.expectEnd(within: Self.explanation)
        let body = (try? await transfer.body(limit: Self.errorLimit)) ?? []
        try Task.checkCancellation()
        throw provider.failure(status: head.status, fields: head.fields, body: body)
    }
}
