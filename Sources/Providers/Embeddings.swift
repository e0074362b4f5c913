import JSON
package import OpenAI

/// Embeddings to be asked for.
package struct EmbeddingCall: Sendable {
    /// What the caller wants.
    package var request: EmbeddingRequest
    /// The model's name at the provider.
    package var model: String
    /// Changes to the caller's parameters; defaults are not among them.
    package var adjustments = Adjustments()

    /// A call as given.
    package init(_ request: EmbeddingRequest, model: String) {
        self.request = request
        self.model = model
    }
}

/// A provider's embeddings.
package struct ProviderEmbeddings: Sendable {
    /// One for each text of the input, in its order, in the encoding that was asked for.
    package var embeddings: [ArraySlice<UInt8>]
    /// The provider's figures, if it states any.
    package var usage: Usage?
}

/// A large batch is millions of numbers: more than other replies may hold.
let embeddingLimits = Limits(values: 4_000_000, refusesDuplicateKeys: false)

/// A provider's vectors, one for each text of the input, as the caller wants them. Numbers keep their spelling;
/// providers that do not know base64 have it made of them.
func embeddings(
    _ vectors: [Node], to request: EmbeddingRequest
) throws(ProviderFailure) -> [ArraySlice<UInt8>] {
    guard vectors.count == request.input.count else {
        throw .badResponse("\(vectors.count) embeddings for \(request.input.count) texts")
    }
    var length: Int?
    var embeddings: [ArraySlice<UInt8>] = []
    for vector in vectors {
        let (spelled, count) = try embedding(vector, request.encoding)
        guard count > 0, count == length ?? count else {
            throw .badResponse("embeddings of \(count) and of \(length ?? 0) numbers")
        }
        length = count
        embeddings.append(spelled)
    }
    if let length, let wanted = request.dimensions, wanted != length {
        // Some providers take the parameter and do nothing about it.
        let why = "this model gives \(length) here; ask for that many, or leave it out"
        throw ProviderFailure(
            .invalidValue("dimensions", why), isRetriable: false,
            detail: "\(length) dimensions instead of \(wanted)")
    }
    return embeddings
}

/// One vector as it goes into the reply, and the count of its numbers.
private func embedding(
    _ vector: Node, _ encoding: EmbeddingRequest.Encoding
) throws(ProviderFailure) -> (spelled: ArraySlice<UInt8>, count: Int) {
    switch (vector.kind, encoding) {
    case (.array, .float):
        var count = 0
        for number in vector.elements {
            guard number.kind == .number else { throw .badResponse("no number in an embedding") }
            count += 1
        }
        return (vector.bytes, count)
    case (.array, .base64):
        let bytes = try floats(of: vector)
        let text = Base64.encode(bytes)
        return (EscapedText.quoted(text[...])[...], bytes.count / 4)
    case (.string, .base64):
        guard let text = vector.string, let size = Base64.byteCount(Array(text.utf8)[...]),
            size.isMultiple(of: 4)
        else { throw .badResponse("an embedding that is no base64 of floats") }
        return (vector.bytes, size / 4)
    default:
        throw .badResponse("an embedding of another kind than was asked for")
    }
}

/// The numbers of an array as 32-bit floats, little end first.
private func floats(of vector: Node) throws(ProviderFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(vector.range.count / 2)
    for element in vector.elements {
        guard let number = element.number, case let float = Float(number), float.isFinite else {
            throw .badResponse("an embedding with what is no 32-bit float")
        }
        let bits = float.bitPattern
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
    }
    return bytes
}
