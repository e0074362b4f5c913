internal import JSON
internal import OpenAI

/// What a chat completion says besides the provider's text: its citations, in the caller's dialect.
extension Chat {
    /// The citations of the answer.
    var citations: [Citation] { evidence.citations(answer.cited, dialect) }

    /// The reply as one JSON text.
    func body() -> [UInt8] {
        if dialect == .markdown { answer.append(Citation.markdown(citations)) }
        return completion.body()
    }

    /// Where was looked for passages, for the only front end that shows such a line.
    func firstWords(_ template: ChunkTemplate) -> [UInt8] {
        guard dialect == .openwebui, let collections = evidence.collections else { return [] }
        let count = evidence.numbers.count
        let found = count == 0 ? "nothing found" : count == 1 ? "1 document" : "\(count) documents"
        return template.status("Searched \(collections.joined(separator: ", ")): \(found)")
    }

    /// The citations of a stream.
    func lastWords(_ template: ChunkTemplate) -> [UInt8] {
        let citations = citations
        switch dialect {
        case .openwebui: return template.sources(citations)
        case .markdown:
            var output: [UInt8] = []
            let block = StringLiteral.encode(Citation.markdown(citations))
            answer.append(block.dropFirst().dropLast(), template, into: &output)
            return output
        case .auto, .annotations:
            guard !citations.isEmpty else { return [] }
            return template.annotations(citations, in: answer.choices.first?.text ?? "")
        }
    }
}
