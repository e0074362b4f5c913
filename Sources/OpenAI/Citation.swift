package import JSON

/// A document that the answer rests on, with the number by which the text refers to it. One value,
/// three dialects: OpenAI's annotations, Open WebUI's source events, a markdown block.
package struct Citation: Sendable, Equatable {
    /// What was read of it in one place.
    package struct Passage: Sendable, Equatable {
        /// The text, or its beginning.
        package var excerpt: String
        /// The heading that it stands under.
        package var heading: String?
        /// The page, from 1.
        package var page: Int?
        /// How well it fits; higher is better.
        package var score: Double?

        /// A passage as given; the rest is set afterwards.
        package init(_ excerpt: String) {
            self.excerpt = excerpt
        }
    }

    /// `[number]` in the text, from 1.
    package var number: Int
    /// The document's title, for people.
    package var title: String
    /// Where the document is, if anywhere; only `http` and `https` are ever shown.
    package var url: String?
    /// The document's id with us.
    package var sourceID: String
    /// All that was read of it, the best first.
    package var passages: [Passage]

    /// A citation as given; the URL is set afterwards.
    package init(number: Int, title: String, sourceID: String, passages: [Passage]) {
        self.number = number
        self.title = title
        self.sourceID = sourceID
        self.passages = passages
    }

    /// The URL if it is one that may be shown as a link.
    package var link: String? {
        guard let url, url.utf8.count <= 2048 else { return nil }
        let lower = url.prefix(8).lowercased()
        let isWeb = lower.hasPrefix("https://") || lower.hasPrefix("http://")
        let isPlain = url.unicodeScalars.allSatisfy { $0.value > 32 && $0.value != 127 }
        return isWeb && isPlain ? url : nil
    }

    /// OpenAI's annotation: `url_citation` with a link, else `file_citation`. The indices are
    /// those of the first `[number]` in `text`, in Unicode scalars; 0 when it is not there.
    package func annotation(in text: String) -> Value {
        let place = marker(in: text) ?? 0..<0
        guard let link else {
            return [
                "type": "file_citation",
                "file_citation": [
                    "file_id": .string(sourceID), "filename": .string(title),
                    "index": .integer(place.lowerBound),
                ],
            ]
        }
        return [
            "type": "url_citation",
            "url_citation": [
                "start_index": .integer(place.lowerBound), "end_index": .integer(place.upperBound),
                "url": .string(link), "title": .string(title),
            ],
        ]
    }

    /// An element of `citations`, the extra member of a reply that is not streamed. The excerpt is of all passages;
    /// heading and page are what they share; the score is that of the best.
    package var value: Value {
        let excerpt = passages.map(\.excerpt).joined(separator: "\n\n[…]\n\n")
        var members = [
            Member("number", .integer(number)), Member("title", .string(title)),
            Member("source_id", .string(sourceID)), Member("excerpt", .string(excerpt)),
        ]
        if let link { members.append(Member("url", .string(link))) }
        if let heading = sharedHeading { members.append(Member("heading", .string(heading))) }
        if let page = sharedPage { members.append(Member("page", .integer(page))) }
        if let score = passages.first?.score, score.isFinite {
            members.append(Member("score", .number(score)))
        }
        return .object(members)
    }

    /// Between headings, outermost first.
    package static let headingSeparator = " > "

    /// The headings that all passages stand under, outermost first.
    private var sharedHeading: String? {
        let paths = passages.map { passage in
            passage.heading?.split(separator: Self.headingSeparator) ?? []
        }
        guard let first = paths.first else { return nil }
        let shared = first.indices.prefix { index in
            paths.allSatisfy { $0.count > index && $0[index] == first[index] }
        }
        return shared.isEmpty
            ? nil : first[..<shared.count].joined(separator: Self.headingSeparator)
    }

    private var sharedPage: Int? {
        let pages = Set(passages.compactMap(\.page))
        return pages.count == 1 ? pages.first : nil
    }

    /// Open WebUI's event, which shows every passage. Id and name are always given, since a source that is keyed by a
    /// URL shows the URL instead of the name. A URL makes the browser ask an outside favicon service for its host, so
    /// only public hosts are told. `page` counts from 0 there.
    package func sourceEvent() -> Value {
        let id = "\(sourceID)#\(number)"
        var source = [Member("id", .string(id)), Member("name", .string(title))]
        if let link, isPublic(link) { source.append(Member("url", .string(link))) }
        var data = [
            Member("source", .object(source)),
            Member("document", .array(passages.map { .string($0.excerpt) })),
            Member("metadata", .array(passages.map { metadata(of: $0, id) })),
        ]
        let scores = passages.compactMap(\.score).filter { (-1...1).contains($0) }
        // By place: there must be as many as there are passages.
        if scores.count == passages.count {
            data.append(Member("distances", .array(scores.map { .number($0) })))
        }
        return ["type": "source", "data": .object(data)]
    }

    private func metadata(of passage: Passage, _ id: String) -> Value {
        var metadata = [Member("source", .string(id)), Member("name", .string(title))]
        if let page = passage.page { metadata.append(Member("page", .integer(page - 1))) }
        if let heading = passage.heading { metadata.append(Member("heading", .string(heading))) }
        return .object(metadata)
    }

    private func marker(in text: String) -> Range<Int>? {
        let wanted = Array("[\(number)]".unicodeScalars)
        let scalars = Array(text.unicodeScalars)
        guard scalars.count >= wanted.count else { return nil }
        for start in 0...(scalars.count - wanted.count)
        where scalars[start..<(start + wanted.count)].elementsEqual(wanted) {
            return start..<(start + wanted.count)
        }
        return nil
    }

    /// The markdown block that follows the answer; empty when there is nothing to cite.
    package static func markdown(_ citations: [Citation]) -> String {
        guard !citations.isEmpty else { return "" }
        let lines = citations.map { citation in
            let title = escapedMarkdown(citation.title)
            let name = citation.link.map { "[\(title)](<\(linkTarget($0))>)" } ?? title
            let page = citation.sharedPage.map { ", page \($0)" } ?? ""
            return "- [\(citation.number)] \(name)\(page)"
        }
        return "\n\n---\n**Sources:**\n" + lines.joined(separator: "\n") + "\n"
    }
}

private func linkTarget(_ url: String) -> String {
    url.replacing("<", with: "%3C").replacing(">", with: "%3E")
}

private func escapedMarkdown(_ text: String) -> String {
    var result = ""
    for character in text {
        if "\\`*_[]<>".contains(character) { result.append("\\") }
        result.append(character.isNewline ? " " : character)
    }
    return result
}
