import JSON

/// The reply to `POST /v1/embeddings`.
package struct EmbeddingList: Sendable {
    /// One for each text of the input, in its order: JSON as it shall be spelled, an array of numbers or a base64
    /// string.
    package var embeddings: [ArraySlice<UInt8>]
    /// The model as asked for.
    package var model: String
    /// What it cost.
    package var usage: Usage

    /// A reply as given.
    package init(_ embeddings: [ArraySlice<UInt8>], model: String, usage: Usage) {
        self.embeddings = embeddings
        self.model = model
        self.usage = usage
    }

    /// The reply body, UTF-8 JSON. Written by copies: there may be millions of numbers.
    package func body() -> [UInt8] {
        var body = Array(#"{"object":"list","data":["#.utf8)
        body.reserveCapacity(embeddings.reduce(256) { $0 + $1.count + 64 })
        for (index, embedding) in embeddings.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += #"{"object":"embedding","index":\#(index),"embedding":"#.utf8
            body += embedding
            body.append(UInt8(ascii: "}"))
        }
        body += #"],"model":"#.utf8
        body += StringLiteral.encode(model)
        let counts: Value = [
            "prompt_tokens": .integer(usage.promptTokens),
            "total_tokens": .integer(usage.totalTokens),
        ]
        body += #","usage":"#.utf8
        counts.encode(into: &body)
        body.append(UInt8(ascii: "}"))
        return body
    }
}
