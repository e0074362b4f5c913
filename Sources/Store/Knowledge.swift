package import EventLoop
package import PostgreSQL

/// The tables `collections`, `documents` and `passages`.
@LoopActor package enum Knowledge {
    /// Whether the server has a text search configuration of this name.
    package static func speaks(_ language: String, in pool: Pool) async throws -> Bool {
        try await !pool.query(.findLanguage, [.text(language)]).isEmpty
    }

    /// The collection of `collection.name`; if there is none, `collection` is stored. Atomic.
    package static func upsert(_ collection: KnowledgeCollection, in pool: Pool) async throws
        -> KnowledgeCollection
    {
        let rows = try await pool.query(
            .upsertCollection,
            [
                .text(collection.id), .text(collection.name), .text(collection.language),
                .timestamp(collection.createdAt),
            ])
        return try rows.first.map(KnowledgeCollection.init(row:)) ?? collection
    }

    /// The collection of this name.
    package static func collection(
        _ name: String, in pool: Pool
    ) async throws -> KnowledgeCollection? {
        try await pool.query(.findCollection, [.text(name)]).first
            .map(KnowledgeCollection.init(row:))
    }

    /// All collections by name.
    package static func collections(in pool: Pool) async throws -> [KnowledgeCollection] {
        try await pool.query(.listCollections).map(KnowledgeCollection.init(row:))
    }

    /// Documents of a collection by source, those after the source `after`.
    package static func documents(
        of collectionID: String, after: String? = nil, limit: Int, in pool: Pool
    ) async throws -> [KnowledgeDocument] {
        try await pool.query(
            .listDocuments, [.text(collectionID), .optional(after), .integer(limit)]
        ).map(KnowledgeDocument.init(row:))
    }

    /// The digest under which `source` is stored in the collection; nil: it is not stored.
    package static func digest(
        of source: String, in collectionID: String, pool: Pool
    ) async throws -> [UInt8]? {
        try await pool.query(.findDigest, [.text(collectionID), .text(source)]).first?.bytes(0)
    }

    /// Stores the document of this source with these passages in place of the one before, if there
    /// was one (which then keeps its id and its time of creation). One transaction.
    ///
    /// - Returns: true if the source is new in the collection.
    package static func replace(
        _ document: KnowledgeDocument, passages: [NewPassage], in pool: Pool
    ) async throws -> Bool {
        try await pool.transaction { connection in
            let stored = try await connection.query(.upsertDocument, parameters(document)).first
            let id = try stored?.text(0) ?? document.id
            _ = try await connection.query(.deletePassages, [.text(id)])
            _ = try await connection.query(
                .insertPassages, [.text(id)] + parameters(passages))
            return id == document.id
        }
    }

    /// Removes a document with its passages. False: there is none of this source.
    package static func remove(
        source: String, from collectionID: String, in pool: Pool
    ) async throws -> Bool {
        try await !pool.query(.deleteDocument, [.text(collectionID), .text(source)]).isEmpty
    }

    /// The passages that fit `question` best, best first; none when no word of it occurs.
    ///
    /// Not all words have to match. A passage's score (0…1) is the part of the question that it
    /// covers, rare words counting more than frequent ones, and within that PostgreSQL's cover
    /// density, in which headings count twice.
    ///
    /// - Parameters:
    ///   - collections: names; unknown ones have no passages.
    ///   - others: words that may be meant too; those that no passage has lower no score.
    package static func search(
        _ collections: [String], for question: String, or others: [String] = [], limit: Int,
        in pool: Pool
    ) async throws -> [FoundPassage] {
        // PostgreSQL text has no U+0000; it separates words like any other control character.
        let texts = [question, others.joined(separator: " ")].map { $0.replacing("\0", with: " ") }
        return try await pool.query(
            .search,
            [.textArray(collections), .text(texts[0]), .integer(limit), .text(texts[1])]
        ).map(FoundPassage.init(row:))
    }

    private static func parameters(_ document: KnowledgeDocument) -> [Parameter] {
        [
            .text(document.id), .text(document.collectionID), .text(document.source),
            .text(document.title), .bytes(document.digest), .integer(document.bytes),
            .timestamp(document.updatedAt),
        ]
    }

    private static func parameters(_ passages: [NewPassage]) -> [Parameter] {
        [
            .textArray(passages.map(\.id)), .integerArray(Array(passages.indices)),
            .textArray(passages.map(\.heading)), .textArray(passages.map(\.body)),
            .integerArray(passages.map(\.span.lowerBound)),
            .integerArray(passages.map(\.span.upperBound)), .integerArray(passages.map(\.page)),
            .textArray(passages.map(\.opening)),
        ]
    }
}

extension Statement {
    fileprivate static let findLanguage = Statement(
        "find language", "SELECT 1 FROM pg_ts_config WHERE cfgname = $1")

    fileprivate static let upsertCollection = Statement(
        "upsert collection",
        """
        INSERT INTO collections (id, name, language, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET name = collections.name
        RETURNING id, name, language, created_at
        """)

    fileprivate static let findCollection = Statement(
        "find collection",
        "SELECT id, name, language, created_at FROM collections WHERE name = $1")

    fileprivate static let listCollections = Statement(
        "list collections", "SELECT id, name, language, created_at FROM collections ORDER BY name")

    fileprivate static let listDocuments = Statement(
        "list documents",
        """
        SELECT id, collection_id, source, title, digest, bytes, created_at, updated_at
        FROM documents WHERE collection_id = $1 AND ($2::text IS NULL OR source > $2)
        ORDER BY source LIMIT $3
        """)

    fileprivate static let findDigest = Statement(
        "find digest", "SELECT digest FROM documents WHERE collection_id = $1 AND source = $2")

    fileprivate static let upsertDocument = Statement(
        "upsert document",
        """
        INSERT INTO documents (id, collection_id, source, title, digest, bytes,
            created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (collection_id, source) DO UPDATE SET title = EXCLUDED.title,
            digest = EXCLUDED.digest, bytes = EXCLUDED.bytes, updated_at = EXCLUDED.updated_at
        RETURNING id
        """)

    fileprivate static let deletePassages = Statement(
        "delete passages", "DELETE FROM passages WHERE document_id = $1")

    fileprivate static let insertPassages = Statement(
        "insert passages",
        """
        INSERT INTO passages (id, document_id, ordinal, heading, body, span_start, span_end, page,
            opening, language)
        SELECT p.id, d.id, p.ordinal, p.heading, p.body, p.span_start, p.span_end, p.page,
            p.opening, c.language
        FROM documents d JOIN collections c ON c.id = d.collection_id,
            unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::text[])
                AS p (id, ordinal, heading, body, span_start, span_end, page, opening)
        WHERE d.id = $1
        """)

    fileprivate static let deleteDocument = Statement(
        "delete document",
        "DELETE FROM documents WHERE collection_id = $1 AND source = $2 RETURNING id")

    // OFFSET 0 keeps the index on words first: the planner would rather read whole documents.
    // A word's weight falls with the number of passages that have it; a word that none has weighs 1
    // and lowers every score, as it should: the passages do not answer that part of the question. A number
    // names one thing and weighs twice.
    fileprivate static let search = Statement(
        "search passages",
        """
        WITH words AS MATERIALIZED (
            SELECT c.id AS collection_id, w.lexeme, bool_or(w.is_asked) AS is_asked,
                archway_exact_query(w.lexeme) AS query
            FROM collections c CROSS JOIN LATERAL (
                SELECT unnest(archway_lexemes(c.language, $2)), true
                UNION ALL SELECT unnest(archway_lexemes(c.language, $4)), false
            ) AS w (lexeme, is_asked)
            WHERE c.name = ANY ($1::text[])
            GROUP BY c.id, w.lexeme
        ), hits AS MATERIALIZED (
            SELECT w.collection_id, w.lexeme, p.id
            FROM words w
            CROSS JOIN LATERAL (
                SELECT id, document_id FROM passages WHERE search @@ w.query OFFSET 0
            ) p
            JOIN documents d ON d.id = p.document_id AND d.collection_id = w.collection_id
        ), weights AS (
            SELECT w.collection_id, w.lexeme,
                CASE WHEN w.lexeme ~ '[0-9]' AND count(h.id) > 0 THEN 2 ELSE 1 END
                    / (1 + ln(1 + count(h.id))) AS weight
            FROM words w LEFT JOIN hits h USING (collection_id, lexeme)
            GROUP BY w.collection_id, w.lexeme
            HAVING bool_or(w.is_asked) OR count(h.id) > 0
        ), questions AS (
            SELECT w.collection_id, sum(v.weight) AS weight,
                string_agg(w.query::text, ' | ')::tsquery AS query
            FROM words w JOIN weights v USING (collection_id, lexeme)
            GROUP BY w.collection_id
        ), covered AS (
            SELECT h.id, h.collection_id, sum(v.weight) AS weight
            FROM hits h JOIN weights v USING (collection_id, lexeme)
            GROUP BY h.id, h.collection_id
            ORDER BY weight DESC, h.id LIMIT 20 + 10 * $3
        )
        SELECT d.id, d.title, d.source, p.id, p.heading, p.body, p.span_start, p.span_end, p.page,
            p.opening, (k.weight / q.weight
                * (0.75 + 0.25 * ts_rank_cd('{0.5, 0.5, 0.5, 1}', p.search, q.query, 32))
            )::double precision AS score
        FROM covered k
        JOIN questions q ON q.collection_id = k.collection_id
        JOIN passages p ON p.id = k.id
        JOIN documents d ON d.id = p.document_id
        ORDER BY score DESC, d.source, p.ordinal LIMIT $3
        """)
}
