package import PostgreSQL

/// Documents that belong together and are searched together.
package struct KnowledgeCollection: Sendable, Hashable {
    package var id: String
    /// Unique.
    package var name: String
    /// A text search configuration of the server (`SELECT cfgname FROM pg_ts_config`).
    package var language: String
    package var createdAt: Timestamp

    /// A collection. `id` is made by the caller (`coll_…`).
    package init(id: String, name: String, language: String = "english", createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.language = language
        self.createdAt = createdAt
    }
}

/// A file or page, without its text.
package struct KnowledgeDocument: Sendable, Hashable {
    package var id: String
    package var collectionID: String
    /// Path or URL, unique in the collection.
    package var source: String
    package var title: String
    /// SHA-256 of the file, 32 bytes.
    package var digest: [UInt8]
    /// Size of the file.
    package var bytes: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// A document that was read at `now`. `id` is made by the caller (`doc_…`).
    package init(
        id: String, collectionID: String, source: String, title: String, digest: [UInt8],
        now: Timestamp
    ) {
        self.id = id
        self.collectionID = collectionID
        self.source = source
        self.title = title
        self.digest = digest
        bytes = 0
        createdAt = now
        updatedAt = now
    }
}

/// A piece of a document that can be found and quoted.
package struct NewPassage: Sendable, Hashable {
    package var id: String
    /// The headings above it, outermost first.
    package var heading: String
    package var body: String
    /// Characters of the document's text.
    package var span: Range<Int>
    /// The lines above it without which it cannot be read, where it begins in the middle of fenced code or of a table:
    /// the one that opened the code, or the table's headings with the rule below them.
    package var opening: String?
    /// From 1; nil where the format has no pages.
    package var page: Int?

    /// A passage that begins outside of code and tables. `id` is made by the caller (`passage_…`).
    package init(id: String, heading: String, body: String, span: Range<Int>, page: Int? = nil) {
        self.id = id
        self.heading = heading
        self.body = body
        self.span = span
        self.page = page
    }
}

/// A passage that a search found.
package struct FoundPassage: Sendable, Hashable {
    package var documentID: String
    package var title: String
    /// Path or URL of the document.
    package var source: String
    package var id: String
    package var heading: String
    package var body: String
    package var span: Range<Int>
    /// The lines above it without which it cannot be read, where it begins in the middle of fenced code or of a table:
    /// the one that opened the code, or the table's headings with the rule below them.
    package var opening: String?
    package var page: Int?
    /// 0…1, higher is better.
    package var score: Double

    /// A passage at the beginning of a document, without heading and page.
    package init(documentID: String, title: String, source: String, body: String, score: Double) {
        self.documentID = documentID
        self.title = title
        self.source = source
        self.body = body
        self.score = score
        id = ""
        heading = ""
        span = 0..<0
    }
}

extension KnowledgeCollection {
    init(row: Row) throws(DatabaseError) {
        id = try row.text(0)
        name = try row.text(1)
        language = try row.text(2)
        createdAt = try row.timestamp(3)
    }
}

extension KnowledgeDocument {
    init(row: Row) throws(DatabaseError) {
        id = try row.text(0)
        collectionID = try row.text(1)
        source = try row.text(2)
        title = try row.text(3)
        digest = try row.bytes(4)
        bytes = try row.integer(5)
        createdAt = try row.timestamp(6)
        updatedAt = try row.timestamp(7)
    }
}

extension FoundPassage {
    init(row: Row) throws(DatabaseError) {
        documentID = try row.text(0)
        title = try row.text(1)
        source = try row.text(2)
        id = try row.text(3)
        heading = try row.text(4)
        body = try row.text(5)
        let start = try row.integer(6)
        span = start..<max(start, try row.integer(7))
        page = try row.optionalInteger(8)
        opening = try row.optionalText(9)
        score = try row.number(10)
    }
}
