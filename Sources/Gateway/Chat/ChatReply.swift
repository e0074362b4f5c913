internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// Station 11: from the provider's events to the caller.
extension Chat {
    /// The reply as one JSON text.
    func complete() async throws -> Answer {
        try await eachCandidate { candidate in
            answer.take(try await completion(of: candidate))
        }
        exchange.findings.firstEventAt = Loop.now
        var reply = ChatCompletion(
            id: id, created: created, model: request.model, choices: [], usage: usage)
        reply.origin = answer.origin
        let citations = citations
        if dialect == .markdown {
            answer.append(Citation.markdown(citations))
        } else {
            reply.citations = citations
        }
        reply.choices = answer.choices
        exchange.findings.status = Status.ok.rawValue
        await record(.completed)
        return .response(.json(reply.body()))
    }

    /// The reply as a stream. Once it is open, a failure is told in band, and `[DONE]` only follows what is whole.
    func stream() async throws -> Answer {
        let reply = EventStreamReply(
            exchange, hold: Int(worker.configuration.firstEventHold * 1000),
            keepAlive: Int(worker.configuration.keepAlive * 1000),
            toleratesDeparture: model.finishesAlone)
        defer { reply.stop() }
        var template = ChunkTemplate(id: id, created: created, model: request.model)
        do {
            try await eachCandidate { candidate in
                try await relay(candidate, reply, &template)
            }
            try await end(reply, template)
        } catch let error where reply.isOpen && !Self.isDeparture(error) {
            await record(.failed)
            exchange.findings.detail = exchange.findings.detail ?? fullFace(of: error)
            try await reply.finish(template.failure(APIError(of: error)))
        }
        return .sent
    }

    private func relay(
        _ candidate: Candidate, _ reply: EventStreamReply, _ template: inout ChunkTemplate
    ) async throws {
        let stream = try await openStream(of: candidate)
        var output: [UInt8] = []
        var hasBegun = false
        try await stream.reading {
            while try await stream.step({ answer.take($0, &template, into: &output) }) {
                guard !output.isEmpty else { continue }
                if !hasBegun {
                    hasBegun = true
                    exchange.findings.firstEventAt = Loop.now
                    output = template.opening(choices: request.choices) + output
                }
                if !reply.writeAtOnce(output) { try await reply.write(output) }
                output.removeAll(keepingCapacity: true)
            }
        }
        if !hasBegun { try await reply.write(template.opening(choices: request.choices)) }
    }

    /// What follows the provider's last word. The answer is stored before the frames that call it whole go out.
    private func end(_ reply: EventStreamReply, _ template: ChunkTemplate) async throws {
        var output: [UInt8] = []
        answer.end(template, into: &output)
        let citations = citations
        switch dialect {
        case .openwebui: output += template.sources(citations)
        case .markdown:
            let block = StringLiteral.encode(Citation.markdown(citations))
            answer.append(block.dropFirst().dropLast(), template, into: &output)
        case .auto, .annotations:
            if !citations.isEmpty {
                output += template.annotations(
                    citations, in: answer.choices.first?.text ?? "")
            }
        }
        output += template.choices(answer.endings)
        if request.includesUsage { output += template.usage(usage) }
        await record(.completed)
        output += ServerSentEvent.done
        try await reply.finish(output)
    }
}
