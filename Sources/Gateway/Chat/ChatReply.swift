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
        let relay = ChatRelay(self, reply)
        do {
            try await eachCandidate { candidate in
                let stream = try await openStream(of: candidate)
                defer { stream.close() }
                try await relay.run(stream)
            }
            try await end(reply, relay.template)
        } catch let error where reply.isOpen && !Self.isDeparture(error) {
            await record(.failed)
            exchange.findings.detail = exchange.findings.detail ?? fullFace(of: error)
            try await reply.finish(relay.template.failure(APIError(of: error)))
        }
        return .sent
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
