package import PostgreSQL

/// One message of a conversation, as stored.
package struct Turn: Sendable, Hashable {
    /// How far a turn has come.
    package enum Status: String, Sendable, CaseIterable {
        case inProgress = "in_progress"
        case completed
        /// The caller left, or the worker died: `content` may be a part.
        case incomplete
        case failed
    }

    package var id: String
    /// Hash of the history before it; nil for the first message.
    package var parentHash: [UInt8]?
    /// Hash of the history with it; nil while it is being written.
    package var hash: [UInt8]?
    /// Messages before it on its branch.
    package var position: Int
    package var role: String
    /// The message object: JSON, UTF-8, as it was written.
    package var content: [UInt8]
    package var status: Status
    package var model: String?
    package var requestID: String?
    package var createdAt: Timestamp
    package var completedAt: Timestamp?
}

/// A message that is complete when it is stored: what the caller sent.
package struct NewTurn: Sendable {
    package var id: String
    package var parentHash: [UInt8]?
    package var hash: [UInt8]
    /// Messages before it on its branch.
    package var position: Int
    package var role: String
    /// The message object: JSON, UTF-8, stored byte for byte.
    package var content: ArraySlice<UInt8>

    /// All of it. `id` is made by the caller (`turn_…`).
    package init(
        id: String, parentHash: [UInt8]?, hash: [UInt8], position: Int, role: String,
        content: ArraySlice<UInt8>
    ) {
        self.id = id
        self.parentHash = parentHash
        self.hash = hash
        self.position = position
        self.role = role
        self.content = content
    }
}

/// An answer that is about to be written: a row `in_progress` that `finish` completes.
package struct NewAnswer: Sendable {
    package var id: String
    package var parentHash: [UInt8]?
    /// Messages before it on its branch.
    package var position: Int
    package var model: String
    /// The worker that writes it, for `Conversations.abandon(worker:)`.
    package var worker: String

    /// All of it. `id` is made by the caller (`turn_…`).
    package init(id: String, parentHash: [UInt8]?, position: Int, model: String, worker: String) {
        self.id = id
        self.parentHash = parentHash
        self.position = position
        self.model = model
        self.worker = worker
    }
}

/// What a request stores before its provider is called: the history that is not stored yet, and the
/// place of the answer.
package struct Beginning: Sendable {
    /// A user's id (a row of `users`).
    package var ownerID: String
    /// The front end's name for the conversation, 1 to 200 characters; nil makes a new one each time.
    package var externalID: String?
    /// The conversation's id if it is new (`conv_…`).
    package var newID: String
    package var requestID: String
    package var now: Timestamp
    /// The chain of the request's messages, first to last.
    package var turns: [NewTurn]
    /// nil: store the messages only.
    package var answer: NewAnswer?

    /// A beginning without messages.
    package init(
        ownerID: String, externalID: String?, newID: String, requestID: String, now: Timestamp
    ) {
        self.ownerID = ownerID
        self.externalID = externalID
        self.newID = newID
        self.requestID = requestID
        self.now = now
        turns = []
    }
}

/// The end of an answer.
package struct Ending: Sendable {
    package var answerID: String
    package var ownerID: String
    /// Hash of the history with the answer; nil only if nothing of it is worth keeping.
    package var hash: [UInt8]?
    package var content: ArraySlice<UInt8>
    package var status: Turn.Status
    package var now: Timestamp
    /// The whole completion, where the owner asks to keep it.
    package var completion: NewCompletion?

    /// All of it, with nothing to keep.
    package init(
        answerID: String, ownerID: String, hash: [UInt8]?, content: ArraySlice<UInt8>,
        status: Turn.Status, now: Timestamp
    ) {
        self.answerID = answerID
        self.ownerID = ownerID
        self.hash = hash
        self.content = content
        self.status = status
        self.now = now
    }
}

extension Turn {
    /// From `id, parent_hash, hash, position, role, content, status, model, request_id, created_at,
    /// completed_at`.
    init(row: Row) throws(DatabaseError) {
        id = try row.text(0)
        parentHash = try row.optionalBytes(1)
        hash = try row.optionalBytes(2)
        position = try row.integer(3)
        role = try row.text(4)
        content = try row.utf8(5)
        status = Status(rawValue: try row.text(6)) ?? .failed
        model = try row.optionalText(7)
        requestID = try row.optionalText(8)
        createdAt = try row.timestamp(9)
        completedAt = try row.optionalTimestamp(10)
    }
}
