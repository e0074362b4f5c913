internal import HTTP
internal import JSON
internal import OpenAI

/// The JSON object that a request carries, read member by member with the errors of the API.
struct RequestBody: Sendable {
    private let root: Node?

    /// `members` are those that the route has: any other one is refused, since it would have no effect. An absent body
    /// is an empty object where `isOptional`.
    init(
        _ request: HTTP.Request, members: Set<String>, isOptional: Bool = false
    ) throws(APIError) {
        if request.body.isEmpty {
            guard isOptional else { throw .emptyBody }
            root = nil
            return
        }
        let root = try Document(requestBody: request.body).root
        self.root = root
        for (key, _) in root.members where !members.contains(key) { throw .unknownParameter(key) }
    }

    /// A member that is there and not null.
    private subscript(_ key: String) -> Node? {
        root?[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// True when the member is there, `null` or not.
    func has(_ key: String) -> Bool { root?[key] != nil }

    /// A text of 1 to `limit` characters.
    func text(_ key: String, limit: Int = 200) throws(APIError) -> String? {
        guard let node = self[key] else { return nil }
        guard let text = node.string else { throw .invalidType(key, "a string") }
        if let fault = text.fault(limit: limit) { throw .invalidValue(key, fault) }
        return text
    }

    func boolean(_ key: String) throws(APIError) -> Bool? {
        guard let node = self[key] else { return nil }
        guard let value = node.boolean else { throw .invalidType(key, "a boolean") }
        return value
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let node = self[key] else { return nil }
        guard node.isWhole else { throw .invalidType(key, "an integer") }
        guard let value = node.integer, range.contains(value) else {
            throw .invalidValue(
                key, "it must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    /// `metadata`, which must be there; `null` is none.
    func metadata() throws(APIError) -> Metadata {
        guard let node = root?["metadata"] else { throw .missingParameter("metadata") }
        return try Metadata(node)
    }

    /// A list of texts.
    func texts(_ key: String) throws(APIError) -> [String]? {
        guard let node = self[key] else { return nil }
        guard node.kind == .array else { throw .invalidType(key, "an array of strings") }
        var texts: [String] = []
        for (index, element) in node.elements.enumerated() {
            guard let text = element.string, (1...200).contains(text.count) else {
                throw .invalidType("\(key)[\(index)]", "a string of 1 to 200 characters")
            }
            texts.append(text)
        }
        return texts
    }
}

extension HTTP.Request {
    /// The body of a route of OpenAI's. It may be declared as JSON only, or not at all.
    var jsonBody: [UInt8] {
        get throws(APIError) {
            let type = fields["content-type"]?.lowercased() ?? "application/json"
            guard type.hasPrefix("application/json") else { throw .unsupportedMediaType }
            return body
        }
    }
}

extension String {
    /// It may be an e-mail address: an at sign with something on either side. More only a mail could tell.
    var isAddress: Bool {
        dropFirst().dropLast().contains("@")
    }

    /// Why it is no name of something: on the command line as over the API.
    func fault(limit: Int = 200) -> String? {
        if !(1...limit).contains(unicodeScalars.count) {
            return "it must have 1 to \(limit) characters"
        }
        if holdsControlCharacter {
            return "it must not hold control characters, such as a line's end"
        }
        return allSatisfy(\.isWhitespace) ? "it must not be blank" : nil
    }

    /// A line's end, for instance, by which a name could pass for two in a list.
    var holdsControlCharacter: Bool {
        unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    /// As a name in a header it could pass for another one, or for two. Bytes that are no UTF-8 are U+FFFD here,
    /// whichever they were.
    var isMistakable: Bool { holdsControlCharacter || unicodeScalars.contains("\u{FFFD}") }
}
