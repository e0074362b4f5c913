package import EventLoop
package import PostgreSQL

/// A conversation of one owner.
package struct Conversation: Sendable, Hashable {
    package var id: String
    /// The front end's name for it.
    package var externalID: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The tables `conversations` and `turns`. All of it holds under any number of requests at once: a
/// conversation is opened once, a turn is stored once.
@LoopActor package enum Conversations {
    /// Histories below this many bytes are sent without asking first what is stored already.
    private static let askingPays = 16 * 1024

    /// The owner's conversation of this external id; `newID` becomes its id if it is new. Atomic.
    package static func open(
        owner: String, externalID: String?, newID: String, now: Timestamp, in pool: Pool
    ) async throws -> String {
        let rows = try await pool.query(
            .openConversation,
            [.text(newID), .text(owner), .optional(externalID), .timestamp(now)])
        return try rows.first?.text(0) ?? newID
    }

    /// Opens the conversation, stores the turns that are not stored yet and the answer's row: one
    /// statement, one round trip (a long history takes one more, to learn what need not be sent).
    /// Returns the conversation's id. Repeating it changes nothing.
    package static func begin(_ beginning: Beginning, in pool: Pool) async throws -> String {
        var beginning = beginning
        beginning.turns = try await missing(of: beginning, in: pool)
        do {
            let rows = try await pool.query(.begin, parameters(beginning))
            return try rows.first?.text(0) ?? beginning.newID
        } catch let error as DatabaseError where error.constraint == "conversations_pkey" {
            // The statement is all or nothing, and was executed before.
            return beginning.newID
        }
    }

    /// Completes an answer's row. If the same answer stands in the conversation already (the request
    /// was retried or raced), the row goes away instead: one turn remains. What its owner asks to keep
    /// is stored by the same statement. False: no such row, and nothing is stored.
    package static func finish(_ ending: Ending, in pool: Pool) async throws -> Bool {
        let completion = ending.completion
        let values: [Parameter] = [
            .text(ending.answerID), .text(ending.ownerID), .optional(ending.hash),
            .utf8(ending.content), .text(ending.status.rawValue), .timestamp(ending.now),
            .optional(completion?.id), .optional(completion?.createdAt),
            .optional(completion?.model), completion.map { .utf8($0.metadata[...]) } ?? .null,
            completion.map { .utf8($0.messages) } ?? .null,
            completion.map { .utf8($0.reply[...]) } ?? .null,
        ]
        do {
            return try await !pool.query(.finish, values).isEmpty
        } catch let error as DatabaseError where error.isUniqueViolation {
            // The same answer was stored between our look and our write: now we see it.
            return try await !pool.query(.finish, values).isEmpty
        }
    }

    /// A worker is gone: its answers in progress become incomplete. Returns how many.
    package static func abandon(
        worker: String, at now: Timestamp, in pool: Pool
    ) async throws -> Int {
        try await pool.query(.abandon, [.text(worker), .timestamp(now)]).count
    }

    /// The owner's conversations, last used first, those after `after`. Throws `UnknownCursor`.
    package static func list(
        owner: String, after: String? = nil, limit: Int, in pool: Pool
    ) async throws -> [Conversation] {
        let cursor = try await Cursor.parameters(
            of: after, .conversationTime, owner: owner, in: pool)
        return try await pool.query(
            .listConversations, [.text(owner)] + cursor + [.integer(limit)]
        ).map(Conversation.init(row:))
    }

    /// All turns of the owner's conversation, every branch, by position and time. Empty for another
    /// owner's.
    package static func turns(
        of id: String, owner: String, in pool: Pool
    ) async throws -> [Turn] {
        try await pool.query(.listTurns, [.text(id), .text(owner)]).map(Turn.init(row:))
    }

    /// Deletes one conversation of the owner. False: the owner has none of this id.
    package static func delete(_ id: String, owner: String, in pool: Pool) async throws -> Bool {
        try await !pool.query(.deleteConversation, [.text(id), .text(owner)]).isEmpty
    }

    /// Deletes all conversations of the owner. Returns how many.
    package static func deleteAll(owner: String, in pool: Pool) async throws -> Int {
        try await pool.query(.deleteConversations, [.text(owner)]).count
    }

    private static func missing(of beginning: Beginning, in pool: Pool) async throws -> [NewTurn] {
        let turns = beginning.turns
        guard let externalID = beginning.externalID,
            turns.reduce(0, { $0 + $1.content.count }) > askingPays
        else { return turns }
        let rows = try await pool.query(
            .knownHashes,
            [.text(beginning.ownerID), .text(externalID), .bytesArray(turns.map(\.hash))])
        let known = Set(try rows.map { row throws(DatabaseError) in try row.bytes(0) })
        return turns.filter { !known.contains($0.hash) }
    }

    private static func parameters(_ beginning: Beginning) -> [Parameter] {
        let turns = beginning.turns
        let answer = beginning.answer
        return [
            .text(beginning.newID), .text(beginning.ownerID), .optional(beginning.externalID),
            .timestamp(beginning.now), .text(beginning.requestID),
            .textArray(turns.map(\.id)), .bytesArray(turns.map(\.parentHash)),
            .bytesArray(turns.map(\.hash)), .integerArray(turns.map(\.position)),
            .textArray(turns.map(\.role)), .utf8Array(turns.map(\.content)),
            .optional(answer?.id), .optional(answer?.parentHash), .optional(answer?.position),
            .optional(answer?.model), .optional(answer?.worker),
        ]
    }
}

extension Conversation {
    fileprivate init(row: Row) throws(DatabaseError) {
        id = try row.text(0)
        externalID = try row.optionalText(1)
        createdAt = try row.timestamp(2)
        updatedAt = try row.timestamp(3)
    }
}

extension Statement {
    fileprivate static let openConversation = Statement(
        "open conversation",
        """
        INSERT INTO conversations (id, owner_id, external_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (owner_id, external_id)
            DO UPDATE SET updated_at = greatest(conversations.updated_at, EXCLUDED.updated_at)
        RETURNING id
        """)

    fileprivate static let knownHashes = Statement(
        "known hashes",
        """
        SELECT t.hash FROM conversations c JOIN turns t ON t.conversation_id = c.id
        WHERE c.owner_id = $1 AND c.external_id = $2 AND t.hash = ANY ($3::bytea[])
        """)

    // Whoever writes turns holds the lock on the conversation's row, taken first: no deadlock.
    fileprivate static let begin = Statement(
        "begin answer",
        """
        WITH conversation AS (
            INSERT INTO conversations (id, owner_id, external_id, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $4)
            ON CONFLICT (owner_id, external_id)
                DO UPDATE SET updated_at = greatest(conversations.updated_at, EXCLUDED.updated_at)
            RETURNING id
        ), history AS (
            INSERT INTO turns (id, conversation_id, parent_hash, hash, position, role, content,
                status, request_id, created_at, completed_at)
            SELECT t.id, c.id, t.parent_hash, t.hash, t.position, t.role, t.content,
                'completed', $5, $4, $4
            FROM conversation c, unnest($6::text[], $7::bytea[], $8::bytea[], $9::bigint[],
                $10::text[], $11::text[]) AS t (id, parent_hash, hash, position, role, content)
            ON CONFLICT DO NOTHING
        ), answer AS (
            INSERT INTO turns (id, conversation_id, parent_hash, position, role, content,
                status, model, request_id, worker, created_at)
            SELECT $12, c.id, $13, $14, 'assistant', '', 'in_progress', $15, $5, $16, $4
            FROM conversation c WHERE $12::text IS NOT NULL
            ON CONFLICT DO NOTHING
        )
        SELECT id FROM conversation
        """)

    // A twin without a model came with a request's history, sent before this answer was recorded; how the answer ended,
    // this statement knows. Of two answers alike the whole one counts.
    fileprivate static let finish = Statement(
        "finish answer",
        """
        WITH answer AS (
            SELECT t.id, t.conversation_id, t.model FROM turns t
            JOIN conversations c ON c.id = t.conversation_id AND c.owner_id = $2
            WHERE t.id = $1
        ), twin AS (
            UPDATE turns t
            SET status = CASE WHEN $5 = 'completed' OR t.model IS NULL THEN $5 ELSE t.status END,
                model = coalesce(t.model, a.model)
            FROM answer a
            WHERE t.conversation_id = a.conversation_id AND t.hash = $3 AND t.id <> a.id
            RETURNING t.id
        ), dropped AS (
            DELETE FROM turns t USING answer a
            WHERE t.id = a.id AND EXISTS (SELECT FROM twin)
        ), kept AS (
            UPDATE turns t SET hash = $3, content = $4, status = $5, completed_at = $6
            FROM answer a
            WHERE t.id = a.id AND NOT EXISTS (SELECT FROM twin)
        ), completion AS (
            INSERT INTO stored_completions (id, owner_id, conversation_id, created_at, model,
                metadata, messages, reply)
            SELECT $7, $2, a.conversation_id, $8, $9, $10::jsonb, $11, $12
            FROM answer a WHERE $7::text IS NOT NULL
            ON CONFLICT DO NOTHING
        )
        SELECT id FROM answer
        """)

    fileprivate static let abandon = Statement(
        "abandon answers",
        """
        UPDATE turns SET status = 'incomplete', completed_at = $2
        WHERE worker = $1 AND status = 'in_progress' RETURNING id
        """)

    fileprivate static let listConversations = Statement(
        "list conversations",
        """
        SELECT id, external_id, created_at, updated_at FROM conversations
        WHERE owner_id = $1
            AND (updated_at, id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3, ''))
        ORDER BY updated_at DESC, id DESC LIMIT $4
        """)

    fileprivate static let conversationTime = Statement(
        "conversation time",
        "SELECT updated_at FROM conversations WHERE id = $1 AND owner_id = $2")

    fileprivate static let listTurns = Statement(
        "list turns",
        """
        SELECT t.id, t.parent_hash, t.hash, t.position, t.role, t.content, t.status, t.model,
            t.request_id, t.created_at, t.completed_at
        FROM turns t JOIN conversations c ON c.id = t.conversation_id
        WHERE c.id = $1 AND c.owner_id = $2
        ORDER BY t.position, t.created_at, t.id
        """)

    fileprivate static let deleteConversation = Statement(
        "delete conversation",
        "DELETE FROM conversations WHERE id = $1 AND owner_id = $2 RETURNING id")

    fileprivate static let deleteConversations = Statement(
        "delete conversations", "DELETE FROM conversations WHERE owner_id = $1 RETURNING id")
}
