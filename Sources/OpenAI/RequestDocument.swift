package import JSON

extension Document {
    /// The JSON object that a request carries. Throws `APIError` for a body that is empty, does not parse, or is
    /// another kind of value.
    package init(requestBody body: [UInt8]) throws(APIError) {
        guard !body.isEmpty else { throw .emptyBody }
        do throws(ParseError) {
            try self.init(body)
        } catch {
            throw .invalidJSON(error)
        }
        guard root.kind == .object else { throw .bodyNotAnObject }
    }
}

extension RequestField {
    /// The id in `model`, as the caller wrote it.
    func modelName() throws(APIError) -> String {
        let name = try required("model")
        let model = try name.string()
        guard !model.isEmpty else { throw .invalidValue(name.path, "it must name a model") }
        return model
    }
}
