/// Something that must not be.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// What was promised and not kept.
    package enum Kind: String, Sendable, CaseIterable {
        // Tokens.
        case revokedTokenAccepted = "a revoked token was accepted"
        case validTokenRefused = "a valid token was refused"

        // Replies.
        case cleanTruncation = "half an answer ended like a whole one"
        case contradictoryEnd = "a reply ended in two ways"
        case wrongAnswer = "the answer is not what the provider said"
        case internalError = "the gateway failed"

        // Turns.
        case turnLost = "an acknowledged turn is lost"
        case turnDoubled = "a turn is stored twice"
        case turnOutOfOrder = "a turn does not stand behind its parent"
        case turnInvented = "a turn is stored that nobody said"
        case turnUnfinished = "a turn is in progress for ever"

        // Owners.
        case foreignRead = "somebody else's item was shown"
        case completionLost = "an acknowledged completion is lost"

        // Usage.
        case usageMissing = "a request that reached the provider has no usage row"
        case usageDoubled = "a request has several usage rows"
        case usageInvented = "a usage row belongs to no request"
        case usageWrong = "a usage row says other counts than the provider"
        case requestVanished = "a request has left no line, and no worker was killed"
    }

    package var kind: Kind
    /// The event's name, or the row's id.
    package var subject: String
    package var detail: String

    package init(_ kind: Kind, _ subject: String, _ detail: String = "") {
        self.kind = kind
        self.subject = subject
        self.detail = detail
    }

    package var description: String { "\(kind.rawValue): \(subject) \(detail)" }
}

extension History {
    /// All that is wrong. A pure function: the same history has the same violations.
    package func violations(_ stored: Stored) -> [Violation] {
        TokenRules(self).violations + replyViolations + TurnRules(self, stored).violations
            + ownerViolations(stored) + UsageRules(self, stored).violations
    }
}
