package import JSON

/// `POST /v1/embeddings`: a typed view over the caller's untouched bytes. Whatever has no name here is forwarded as it
/// stands.
package struct EmbeddingRequest: Sendable {
    /// How the numbers are written.
    package enum Encoding: Sendable {
        /// An array of numbers.
        case float
        /// A string: 32-bit floats, little end first, in base64.
        case base64
    }

    /// The body as it came.
    package let document: Document
    /// The model's id as the caller wrote it.
    package let model: String
    /// At most 2048 texts, none of them empty.
    package let input: TextInput
    /// `encoding_format`; `float` when absent.
    package let encoding: Encoding
    /// Numbers that an embedding shall have; `nil` when the model decides.
    package let dimensions: Int?

    /// Parses and validates. Throws with the path of the first member that is wrong.
    package init(_ body: [UInt8]) throws(APIError) {
        document = try Document(requestBody: body)
        let root = RequestField(node: document.root, path: "")
        model = try root.modelName()
        input = try TextInput(
            try root.required("input"), TextInput.Bounds(count: 2048, permitsEmptyTexts: false))
        let word = try root["encoding_format"]?.word("float", "base64")
        encoding = word == "base64" ? .base64 : .float
        dimensions = try root["dimensions"]?.integer(in: 1...(.max))
        try root["user"]?.requireString()
    }
}
