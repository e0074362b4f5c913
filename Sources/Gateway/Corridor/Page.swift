internal import HTTP
internal import JSON
internal import OpenAI
internal import Store

/// The query of a list. A name that the list does not have, or has twice, is refused: it would have no effect.
struct ListQuery: Sendable {
    private var values: [String: String] = [:]
    /// The pairs given as `metadata[name]=text`; nil when there is none.
    private(set) var metadata: Metadata?

    /// Every list of pages has `after` and `limit`; `more` are names beside these, of which `metadata` stands for its
    /// pairs.
    init(_ request: HTTP.Request, more: Set<String> = []) throws(APIError) {
        try self.init(request, only: more.union(["after", "limit"]))
    }

    init(_ request: HTTP.Request, only names: Set<String>) throws(APIError) {
        var pairs: [(key: String, value: String)] = []
        for (name, value) in request.query {
            if names.contains("metadata"), name.hasPrefix("metadata["), name.hasSuffix("]") {
                let key = String(name.dropFirst("metadata[".count).dropLast())
                guard !pairs.contains(where: { $0.key == key }) else { throw Self.twice(name) }
                pairs.append((key, value))
            } else if names.contains(name), name != "metadata" {
                guard values.updateValue(value, forKey: name) == nil else { throw Self.twice(name) }
            } else {
                throw .unknownParameter(name)
            }
            guard !value.unicodeScalars.contains("\0") else {
                throw .invalidValue(name, "it must not hold the character U+0000")
            }
        }
        if !pairs.isEmpty { metadata = try Metadata(pairs) }
    }

    subscript(_ name: String) -> String? { values[name] }

    private static func twice(_ name: String) -> APIError {
        .invalidValue(APIError.echo(name), "it is there twice")
    }
}

/// A page of a list, as OpenAI's lists are.
struct Page: Sendable {
    let slice: Slice

    /// Reads `after`, `limit` (1 to 100, 20 by default) and, where the list has it, `order` (`asc` by default).
    init(_ query: ListQuery) throws(APIError) {
        let limit = query["limit"].map { Int($0) ?? 0 } ?? 20
        guard (1...100).contains(limit) else {
            throw .invalidValue("limit", "it must be between 1 and 100")
        }
        let order = query["order"] ?? "asc"
        guard ["asc", "desc"].contains(order) else {
            throw .invalidValue("order", "it must be one of 'asc', 'desc'")
        }
        slice = Slice(after: query["after"], limit: limit, isDescending: order == "desc")
    }

    /// The page of a list that is here as a whole, oldest first, and whether there are more.
    func cut<Entry>(
        _ entries: [Entry], id: (Entry) -> String
    ) throws(APIError) -> (shown: [Entry], hasMore: Bool) {
        let ordered = slice.isDescending ? entries.reversed() : entries
        var rest = ordered[...]
        if let after = slice.after {
            guard let place = ordered.firstIndex(where: { id($0) == after }) else {
                throw .unknownCursor
            }
            rest = ordered[(place + 1)...]
        }
        return (Array(rest.prefix(slice.limit)), rest.count > slice.limit)
    }

    /// The reply to a question for one entry more than the limit, by which it is known whether there is a next page.
    func response(_ found: [(id: String, value: Value)]) -> HTTP.Response {
        Self.response(Array(found.prefix(slice.limit)), hasMore: found.count > slice.limit)
    }

    /// The reply. `noID` stands for the ids of an empty page.
    static func response(
        _ shown: [(id: String, value: Value)], hasMore: Bool, noID: Value = .null
    ) -> HTTP.Response {
        .json([
            "object": "list", "data": .array(shown.map(\.value)),
            "first_id": shown.first.map { .string($0.id) } ?? noID,
            "last_id": shown.last.map { .string($0.id) } ?? noID,
            "has_more": .boolean(hasMore),
        ])
    }
}
