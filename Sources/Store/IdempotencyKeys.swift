package import EventLoop
package import PostgreSQL

/// A request that has, or wants, an idempotency key.
package struct Claim: Sendable, Hashable {
    /// Made by the caller, unlike any other.
    package var id: String
    /// A user's id (a row of `users`).
    package var ownerID: String
    /// The API token that the request came with; empty for none.
    package var tokenID: String
    /// 1 to 255 characters.
    package var key: String
    /// SHA-256 of what is asked.
    package var fingerprint: [UInt8]
    /// The worker that runs the request, for `IdempotencyKeys.abandon(worker:)`.
    package var worker: String

    /// All of it.
    package init(
        id: String, ownerID: String, tokenID: String, key: String, fingerprint: [UInt8],
        worker: String
    ) {
        self.id = id
        self.ownerID = ownerID
        self.tokenID = tokenID
        self.key = key
        self.fingerprint = fingerprint
        self.worker = worker
    }
}

/// A reply that was sent, to be sent again.
package struct KeptReply: Sendable, Hashable {
    /// The HTTP status.
    package var status: Int
    /// Names and values in turn.
    package var fields: [String]
    package var body: [UInt8]

    /// All of it.
    package init(status: Int, fields: [String], body: [UInt8]) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// What becomes of a claim.
package enum Claiming: Sendable, Hashable {
    /// The key is the claim's, which must end by `finish` or `release`.
    case granted
    /// Another request has the key.
    case running
    /// The key belongs to a request that asks something else.
    case taken
    /// The request was answered so.
    case answered(KeptReply)
    /// The request was answered, and the reply is not kept.
    case forgotten
}

/// The table `idempotency_keys`. Of any number of equal claims at once one is granted.
@LoopActor package enum IdempotencyKeys {
    /// How often a row may vanish between two looks at it.
    private static let patience = 3

    /// Takes the key for a request, until `end` unless that is put off. A row whose time is over counts for nothing.
    package static func take(
        _ claim: Claim, now: Timestamp, until end: Timestamp, in pool: Pool
    ) async throws -> Claiming {
        for _ in 0..<patience {
            let granted = try await pool.query(
                .takeKey,
                name(claim) + [
                    .text(claim.id), .bytes(claim.fingerprint), .text(claim.worker),
                    .timestamp(end), .timestamp(now),
                ])
            guard granted.isEmpty else { return .granted }
            let found = try await pool.query(.findKey, name(claim)).first
            if let found { return try Claiming(row: found, of: claim) }
        }
        return .running
    }

    /// Ends a claim with the reply that was sent, or with none if it is not to be kept. What `end` is to a claim is
    /// `end` to the reply. Repeating it changes nothing.
    package static func finish(
        _ claim: Claim, status: Int, reply: KeptReply?, until end: Timestamp, in pool: Pool
    ) async throws {
        _ = try await pool.query(
            .finishKey,
            name(claim) + [
                .text(claim.id), .integer(status), .optional(reply?.fields),
                .optional(reply?.body), .timestamp(end),
            ])
    }

    /// Frees the key of a claim that has come to nothing. Without effect after `finish`.
    package static func release(_ claim: Claim, in pool: Pool) async throws {
        _ = try await pool.query(.releaseKey, name(claim) + [.text(claim.id)])
    }

    /// Puts off the end of claims of a worker that still run.
    package static func renew(
        _ ids: [String], of worker: String, until end: Timestamp, in pool: Pool
    ) async throws {
        _ = try await pool.query(
            .renewKeys, [.text(worker), .textArray(ids), .timestamp(end)])
    }

    /// A worker is gone: the keys of its requests are free. Returns how many.
    @discardableResult
    package static func abandon(worker: String, in pool: Pool) async throws -> Int {
        try await pool.query(.abandonKeys, [.text(worker)]).count
    }

    /// Deletes rows whose time is over, at most `limit` of them. Returns how many.
    @discardableResult
    package static func sweep(
        at now: Timestamp, limit: Int, in pool: Pool
    ) async throws -> Int {
        try await pool.query(.sweepKeys, [.timestamp(now), .integer(limit)]).count
    }

    private static func name(_ claim: Claim) -> [Parameter] {
        [.text(claim.ownerID), .text(claim.tokenID), .text(claim.key)]
    }
}

extension Claiming {
    /// From `fingerprint, status, fields, body`.
    fileprivate init(row: Row, of claim: Claim) throws(DatabaseError) {
        let (fingerprint, status) = (try row.bytes(0), try row.optionalInteger(1))
        if fingerprint != claim.fingerprint {
            self = .taken
        } else if let status {
            guard let body = try row.optionalBytes(3) else {
                self = .forgotten
                return
            }
            let fields = try row.optionalTextArray(2) ?? []
            self = .answered(KeptReply(status: status, fields: fields, body: body))
        } else {
            self = .running
        }
    }
}

extension Statement {
    fileprivate static let takeKey = Statement(
        "take idempotency key",
        """
        INSERT INTO idempotency_keys AS k
            (owner_id, token_id, key, claim_id, fingerprint, worker, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (owner_id, token_id, key) DO UPDATE
            SET claim_id = EXCLUDED.claim_id, fingerprint = EXCLUDED.fingerprint,
                worker = EXCLUDED.worker, expires_at = EXCLUDED.expires_at,
                status = NULL, fields = NULL, body = NULL
            WHERE k.expires_at <= $8
        RETURNING claim_id
        """)

    fileprivate static let findKey = Statement(
        "find idempotency key",
        """
        SELECT fingerprint, status, fields, body FROM idempotency_keys
        WHERE owner_id = $1 AND token_id = $2 AND key = $3
        """)

    fileprivate static let finishKey = Statement(
        "finish idempotency key",
        """
        UPDATE idempotency_keys SET status = $5, fields = $6, body = $7, expires_at = $8
        WHERE owner_id = $1 AND token_id = $2 AND key = $3 AND claim_id = $4 AND status IS NULL
        """)

    fileprivate static let releaseKey = Statement(
        "release idempotency key",
        """
        DELETE FROM idempotency_keys
        WHERE owner_id = $1 AND token_id = $2 AND key = $3 AND claim_id = $4 AND status IS NULL
        """)

    fileprivate static let renewKeys = Statement(
        "renew idempotency keys",
        """
        UPDATE idempotency_keys SET expires_at = $3
        WHERE worker = $1 AND status IS NULL AND claim_id = ANY ($2::text[])
        """)

    fileprivate static let abandonKeys = Statement(
        "abandon idempotency keys",
        "DELETE FROM idempotency_keys WHERE worker = $1 AND status IS NULL RETURNING 1")

    fileprivate static let sweepKeys = Statement(
        "sweep idempotency keys",
        """
        DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM idempotency_keys WHERE expires_at <= $1
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING 1
        """)
}
