package import EventLoop
package import PostgreSQL

/// What one request used: one row of the ledger.
package struct UsageRow: Sendable, Hashable {
    /// A user's request, or one that a front end makes on its own (title, tags).
    package enum Kind: String, Sendable { case request, side }
    /// Who counted the tokens.
    package enum Source: String, Sendable { case provider, counted, estimated }
    /// How the answer ended.
    package enum Ended: String, Sendable { case completed, incomplete, failed }

    /// Made by the caller (`usage_…`); the same id and time again is the same row.
    package var id: String
    package var createdAt: Timestamp
    package var requestID: String
    package var userID: String?
    package var tokenID: String?
    package var route: String
    package var model: String?
    package var provider: String?
    package var providerModel: String?
    package var kind = Kind.request
    package var promptTokens = 0
    package var completionTokens = 0
    package var totalTokens = 0
    package var source = Source.estimated
    package var ended = Ended.completed
    /// The reply's HTTP status.
    package var status = 200
    /// Milliseconds from acceptance to the provider's first event.
    package var firstEventMilliseconds: Int?
    package var durationMilliseconds = 0

    /// A row with nothing used yet.
    package init(id: String, createdAt: Timestamp, requestID: String, route: String) {
        self.id = id
        self.createdAt = createdAt
        self.requestID = requestID
        self.route = route
    }
}

/// The table `usage`, one partition a month.
@LoopActor package enum Usage {
    /// Stores all rows in one statement. Rows that are stored already stay as they are.
    package static func insert(_ rows: [UsageRow], in pool: Pool) async throws {
        guard !rows.isEmpty else { return }
        _ = try await pool.query(
            .insertUsage,
            [
                .textArray(rows.map(\.id)), .timestampArray(rows.map(\.createdAt)),
                .textArray(rows.map(\.requestID)), .textArray(rows.map(\.userID)),
                .textArray(rows.map(\.tokenID)), .textArray(rows.map(\.route)),
                .textArray(rows.map(\.model)), .textArray(rows.map(\.provider)),
                .textArray(rows.map(\.providerModel)), .textArray(rows.map(\.kind.rawValue)),
                .integerArray(rows.map(\.promptTokens)),
                .integerArray(rows.map(\.completionTokens)),
                .integerArray(rows.map(\.totalTokens)), .textArray(rows.map(\.source.rawValue)),
                .textArray(rows.map(\.ended.rawValue)), .integerArray(rows.map(\.status)),
                .integerArray(rows.map(\.firstEventMilliseconds)),
                .integerArray(rows.map(\.durationMilliseconds)),
            ])
    }

    /// Makes the partitions of `usage` and `audit` for the month of `now` and `ahead` more. Daily.
    package static func prepareMonths(
        at now: Timestamp, ahead: Int = 2, in pool: Pool
    ) async throws {
        _ = try await pool.query(.prepareMonths, [.timestamp(now), .integer(ahead)])
    }
}

extension Statement {
    fileprivate static let insertUsage = Statement(
        "insert usage",
        """
        INSERT INTO usage (id, created_at, request_id, user_id, token_id, route, model, provider,
            provider_model, kind, prompt_tokens, completion_tokens, total_tokens, source, ended,
            status, first_event_ms, duration_ms)
        SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
            $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
            $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::bigint[], $17::bigint[],
            $18::bigint[])
        ON CONFLICT DO NOTHING
        """)

    fileprivate static let prepareMonths = Statement(
        "prepare months", "SELECT archway_prepare_months($1, $2)")
}
