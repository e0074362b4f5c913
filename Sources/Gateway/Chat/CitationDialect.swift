internal import HTTP

/// How citations reach the client. One a request, never two.
typealias CitationDialect = Configuration.Retrieval.Dialect

extension CitationDialect {
    /// The dialect for this request: Open WebUI's where its fields are seen.
    func resolved(for fields: Fields) -> CitationDialect {
        guard self == .auto else { return self }
        let isOpenWebUI = fields.contains { $0.name.lowercased().hasPrefix("x-openwebui-") }
        return isOpenWebUI ? .openwebui : .annotations
    }
}
