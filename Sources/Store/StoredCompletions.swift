package import EventLoop
package import PostgreSQL

/// A chat completion that its owner asks to keep. It is stored with the end of its answer: see `Ending`.
package struct NewCompletion: Sendable {
    /// `chatcmpl-…`
    package var id: String
    package var createdAt: Timestamp
    /// The model as it was asked for.
    package var model: String
    /// A JSON object of strings, without U+0000.
    package var metadata: [UInt8]
    /// The request's list of messages: JSON, UTF-8, stored byte for byte.
    package var messages: ArraySlice<UInt8>
    /// The reply's object: JSON, UTF-8, stored byte for byte.
    package var reply: [UInt8]

    /// A completion without messages, reply and metadata.
    package init(id: String, createdAt: Timestamp, model: String) {
        self.id = id
        self.createdAt = createdAt
        self.model = model
        metadata = Array("{}".utf8)
        messages = Array("[]".utf8)[...]
        reply = []
    }
}

/// A chat completion that was kept.
package struct StoredCompletion: Sendable, Hashable {
    package var id: String
    /// The reply's object: JSON, UTF-8, as it was stored.
    package var reply: [UInt8]
}

/// Which of the completions to list; all that is given must hold.
package struct CompletionFilter: Sendable {
    /// The model as it was asked for.
    package var model: String?
    /// A JSON object of strings that the metadata must contain.
    package var metadata: [UInt8]?

    /// All of it.
    package init(model: String? = nil, metadata: [UInt8]? = nil) {
        self.model = model
        self.metadata = metadata
    }
}

/// The table `stored_completions`. Nobody's but the owner's are ever found.
@LoopActor package enum StoredCompletions {
    /// Bytes of replies that a page holds at most, unless its first one is longer: they may hold pictures.
    private static let pageBytes = 8 << 20

    /// The owner's completions in order of creation, and whether there are more. Throws `UnknownCursor`.
    package static func list(
        owner: String, _ slice: Slice, _ filter: CompletionFilter = CompletionFilter(),
        in pool: Pool
    ) async throws -> (completions: [StoredCompletion], hasMore: Bool) {
        let cursor = try await Cursor.parameters(
            of: slice.after, .completionTime, owner: owner, in: pool)
        var values = [.text(owner)] + cursor + [.optional(filter.model), .integer(slice.limit + 1)]
        if let metadata = filter.metadata { values.append(.utf8(metadata[...])) }
        let statement = Statement.listing(filter, slice)
        while true {
            let found = try await pool.query(statement, values)
            let ids = try fitting(found.prefix(slice.limit))
            let completions = try await read(ids, owner: owner, in: pool)
            // Whoever deletes meanwhile must not make a page in the middle look like the last one.
            guard completions.isEmpty, found.count > ids.count else {
                return (completions, found.count > ids.count)
            }
        }
    }

    /// The owner's completion of this id; nil if the owner has none.
    package static func find(
        _ id: String, owner: String, in pool: Pool
    ) async throws -> StoredCompletion? {
        try await read([id], owner: owner, in: pool).first
    }

    /// The messages of the request: JSON, UTF-8, as they came. Nil: the owner has no completion of this id.
    package static func messages(
        of id: String, owner: String, in pool: Pool
    ) async throws -> [UInt8]? {
        try await pool.query(.completionMessages, [.text(id), .text(owner)]).first?.utf8(0)
    }

    /// Puts other metadata, for filters, and the reply that has it in place. False: the owner has no completion of
    /// this id.
    package static func change(
        _ completion: StoredCompletion, metadata: [UInt8], owner: String, in pool: Pool
    ) async throws -> Bool {
        try await !pool.query(
            .changeCompletion,
            [
                .text(completion.id), .text(owner), .utf8(metadata[...]),
                .utf8(completion.reply[...]),
            ]
        ).isEmpty
    }

    /// Deletes a completion, and the conversation that was made for it alone if nobody has gone on with it. False: the
    /// owner has no completion of this id.
    package static func delete(_ id: String, owner: String, in pool: Pool) async throws -> Bool {
        try await !pool.query(.deleteCompletion, [.text(id), .text(owner)]).isEmpty
    }

    /// The ids of the first rows (id, bytes) that a page may hold.
    private static func fitting(_ rows: ArraySlice<Row>) throws(DatabaseError) -> [String] {
        var ids: [String] = []
        var bytes = 0
        for row in rows {
            bytes += try row.integer(1)
            guard ids.isEmpty || bytes <= pageBytes else { break }
            ids.append(try row.text(0))
        }
        return ids
    }

    /// Those of the ids that are the owner's, in the order of the ids.
    private static func read(
        _ ids: [String], owner: String, in pool: Pool
    ) async throws -> [StoredCompletion] {
        guard !ids.isEmpty else { return [] }
        let rows = try await pool.query(.readCompletions, [.text(owner), .textArray(ids)])
        return try rows.map { row throws(DatabaseError) in
            StoredCompletion(id: try row.text(0), reply: try row.utf8(1))
        }
    }
}

extension Statement {
    // The index on metadata helps only where a filter is surely given, hence statements of their own.
    fileprivate static func listing(_ filter: CompletionFilter, _ slice: Slice) -> Statement {
        switch (filter.metadata != nil, slice.isDescending) {
        case (false, false): .listCompletions
        case (false, true): .listCompletionsDown
        case (true, false): .findCompletions
        case (true, true): .findCompletionsDown
        }
    }

    fileprivate static let listCompletions = Statement(
        "list completions",
        """
        SELECT id, octet_length(reply) FROM stored_completions
        WHERE owner_id = $1
            AND (created_at, id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3, ''))
            AND ($4::text IS NULL OR model = $4)
        ORDER BY created_at, id LIMIT $5
        """)

    fileprivate static let listCompletionsDown = Statement(
        "list completions down",
        """
        SELECT id, octet_length(reply) FROM stored_completions
        WHERE owner_id = $1
            AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3, ''))
            AND ($4::text IS NULL OR model = $4)
        ORDER BY created_at DESC, id DESC LIMIT $5
        """)

    fileprivate static let findCompletions = Statement(
        "find completions",
        """
        SELECT id, octet_length(reply) FROM stored_completions
        WHERE owner_id = $1
            AND (created_at, id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3, ''))
            AND ($4::text IS NULL OR model = $4) AND metadata @> $6::jsonb
        ORDER BY created_at, id LIMIT $5
        """)

    fileprivate static let findCompletionsDown = Statement(
        "find completions down",
        """
        SELECT id, octet_length(reply) FROM stored_completions
        WHERE owner_id = $1
            AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3, ''))
            AND ($4::text IS NULL OR model = $4) AND metadata @> $6::jsonb
        ORDER BY created_at DESC, id DESC LIMIT $5
        """)

    fileprivate static let readCompletions = Statement(
        "read completions",
        """
        SELECT id, reply FROM stored_completions WHERE owner_id = $1 AND id = ANY ($2::text[])
        ORDER BY array_position($2::text[], id)
        """)

    fileprivate static let completionTime = Statement(
        "completion time",
        "SELECT created_at FROM stored_completions WHERE id = $1 AND owner_id = $2")

    fileprivate static let completionMessages = Statement(
        "completion messages",
        "SELECT messages FROM stored_completions WHERE id = $1 AND owner_id = $2")

    fileprivate static let changeCompletion = Statement(
        "change completion",
        """
        UPDATE stored_completions SET metadata = $3::jsonb, reply = $4
        WHERE id = $1 AND owner_id = $2 RETURNING id
        """)

    fileprivate static let deleteCompletion = Statement(
        "delete completion",
        """
        WITH completion AS (
            DELETE FROM stored_completions WHERE id = $1 AND owner_id = $2 RETURNING conversation_id
        ), conversation AS (
            DELETE FROM conversations c USING completion s
            WHERE c.id = s.conversation_id AND c.owner_id = $2
                AND c.external_id IS NULL AND c.updated_at = c.created_at
        )
        SELECT conversation_id FROM completion
        """)
}
