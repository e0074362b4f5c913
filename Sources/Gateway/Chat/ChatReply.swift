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
