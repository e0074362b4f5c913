internal import EventLoop
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// A passage that was found for a question, under the number of its document.
struct RetrievedPassage: Sendable {
    /// From 1; passages of one document share it.
    let number: Int
    let documentID: String
    let title: String
    /// Where the document is, if it came from the web.
    let url: String?
    let heading: String?
    let text: String
    /// The lines above it without which it cannot be read: those that opened code or a table in whose middle it begins.
    var opening: String?
    let page: Int?
    /// 0…1, higher is better.
    let score: Double

    /// The innermost of its headings.
    var section: String? {
        heading.map { String($0.split(separator: Citation.headingSeparator).last ?? $0[...]) }
    }

    /// What a reader is shown of it: all, as it stands there, unless somebody has stored far longer ones than we cut.
    var excerpt: String {
        let scalars = text.unicodeScalars
        return scalars.count <= Self.longestExcerpt
            ? text : String(scalars.prefix(Self.longestExcerpt - 1)) + "…"
    }

    private static let longestExcerpt = 1500
}

/// Station 9: finds passages for a question.
enum Retrieval {
    /// The best passages of these collections, best first, documents numbered in the order in which they first
    /// appear. Empty when nothing speaks of the question.
    @LoopActor
    static func passages(
        for question: String, in collections: [String], limit: Int, pool: PostgreSQL.Pool
    ) async throws -> [RetrievedPassage] {
        let asked = asked(in: question)
        let found = try await Knowledge.search(
            collections, for: asked, or: Words.compounds(of: asked), limit: limit, in: pool)
        return numbered(relevant(found))
    }

    /// What is asked stands at the end of a long message, after the log or the letter that it is about.
    static func asked(in message: String) -> String {
        String(String.UnicodeScalarView(message.unicodeScalars.suffix(longestQuestion)))
    }

    /// Characters of a message that are searched for: more words find nothing better, and cost PostgreSQL, and the
    /// loop of a worker, seconds.
    private static let longestQuestion = 4000
    /// Below this part of the question nothing is evidence: a frequent word or two.
    private static let leastScore = 0.1
    /// What is so much worse than the best passage only distracts.
    private static let leastPartOfBest = 0.35

    static func relevant(_ found: [FoundPassage]) -> [FoundPassage] {
        let best = found.first?.score ?? 0
        return found.filter { $0.score >= max(leastScore, best * leastPartOfBest) }
    }

    static func numbered(_ found: [FoundPassage]) -> [RetrievedPassage] {
        var numbers: [String: Int] = [:]
        return found.map { passage in
            let number = numbers[passage.documentID] ?? numbers.count + 1
            numbers[passage.documentID] = number
            let beginning = passage.source.prefix("https://".count).lowercased()
            let isLink = ["http://", "https://"].contains(where: beginning.hasPrefix)
            return RetrievedPassage(
                number: number, documentID: passage.documentID, title: passage.title,
                url: isLink ? passage.source : nil,
                heading: heading(of: passage), text: passage.body,
                opening: passage.opening, page: passage.page, score: passage.score)
        }
    }

    /// A passage without headings was stored under its document's title; that is no heading.
    private static func heading(of passage: FoundPassage) -> String? {
        passage.heading.isEmpty || passage.heading == passage.title ? nil : passage.heading
    }
}
