/// Something that a client did, and what came of it. All times are of one monotonic clock, in microseconds.
package struct Event: Sendable {
    /// Whether it took effect, as far as the client can know.
    package enum Outcome: String, Sendable {
        case ok, fail, unknown
    }

    /// What was done.
    package enum Deed: Sendable {
        /// A token was asked for a user. If it `replaces`, it ends the user's others.
        case mint(token: String, user: String, replaces: Bool)
        case revoke(token: String)
        /// A user's tokens were revoked, all of them.
        case revokeAll(user: String)
        case chat(ChatDeed)
        /// A list of stored completions was read; the owners whom the words of its items name.
        case list(owners: [String])
        /// A stored completion was read.
        case read(completion: String, owner: String)
        /// Anything else that takes a token.
        case look
    }

    /// Its name, by which the requests' logs and the provider know it.
    package var id: String
    /// Who acts.
    package var user: String
    /// The token's label; the tokens themselves stand in no history.
    package var token: String
    package var started: Int64
    package var ended: Int64
    /// The reply's status, if a head came.
    package var status: Int?
    /// The reply's error code, if it has one, in band or not.
    package var code: String?
    package var outcome = Outcome.unknown
    package var deed = Deed.look

    package init(_ id: String, by user: String, with token: String, started: Int64) {
        self.id = id
        self.user = user
        self.token = token
        self.started = started
        ended = started
    }

    /// The chat, if it is one.
    package var chat: ChatDeed? {
        if case .chat(let chat) = deed { chat } else { nil }
    }

    /// What a status says of an administrative request: a fault of the server's leaves open whether it took effect.
    package static func outcome(of status: Int?) -> Outcome {
        switch status {
        case .some(200..<300): .ok
        case .some(400..<500): .fail
        default: .unknown
        }
    }
}

/// A message of a conversation.
package struct Said: Sendable, Hashable {
    package var role: String
    package var text: String

    package init(_ role: String, _ text: String) {
        self.role = role
        self.text = text
    }
}

/// A question in a conversation.
package struct ChatDeed: Sendable {
    /// The front end's name for the conversation.
    package var conversation: String
    /// The history with the question.
    package var said: [Said]
    /// What the model answers; nil if it is one that fails.
    package var expected: String?
    /// What was received of the answer.
    package var answer = ""
    package var transcript: Transcript
    /// The reply's head warns that the conversation is not stored. One that will be stored later is acknowledged.
    package var isWarned = false
    /// The id of the completion, if it was asked to be kept.
    package var completion: String?

    package init(
        _ conversation: String, said: [Said], expected: String?, isStream: Bool
    ) {
        self.conversation = conversation
        self.said = said
        self.expected = expected
        transcript = Transcript(isStream: isStream)
    }

    /// The reply says that question and answer are stored.
    package var isAcknowledged: Bool { transcript.isWhole && !isWarned }
}
