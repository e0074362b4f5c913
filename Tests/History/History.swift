/// What clients did while faults ran, and what the servers noted of it.
package struct History: Sendable {
    /// Something that was done to the system.
    package struct Fault: Sendable {
        package var name: String
        /// A worker was killed: requests may have ended without a trace.
        package var isDeadly: Bool
        package var started: Int64
        package var ended: Int64

        package init(_ name: String, isDeadly: Bool, started: Int64, ended: Int64) {
            self.name = name
            self.isDeadly = isDeadly
            self.started = started
            self.ended = ended
        }
    }

    /// A question that reached the provider.
    package struct Asked: Sendable {
        package var event: String
        /// The token counts that it told, if it came to that.
        package var counted: Tokens?

        package init(_ event: String, counted: Tokens?) {
            self.event = event
            self.counted = counted
        }
    }

    package var events: [Event] = []
    package var faults: [Fault] = []
    package var asked: [Asked] = []
    /// The web server's request ids, by the events' names.
    package var requests: [String: String] = [:]
    /// The requests of which the gateway has written its line: their workers have lived to their ends.
    package var logged: Set<String> = []

    package init() {}
}

/// Prompt and completion, in tokens.
package struct Tokens: Sendable, Hashable, CustomStringConvertible {
    package var prompt: Int
    package var completion: Int

    package init(prompt: Int, completion: Int) {
        self.prompt = prompt
        self.completion = completion
    }

    package var description: String { "\(prompt)+\(completion)" }

    static func + (one: Tokens, other: Tokens) -> Tokens {
        Tokens(prompt: one.prompt + other.prompt, completion: one.completion + other.completion)
    }
}

/// What the database holds in the end.
package struct Stored: Sendable {
    /// A row of `turns` with its conversation.
    package struct Turn: Sendable {
        package var id: String
        package var owner: String
        /// The front end's name for the conversation; empty if only the gateway named it.
        package var conversation: String
        /// Hashes in hexadecimal.
        package var parent: String?
        package var hash: String?
        package var position: Int
        package var status: String
        package var said: Said

        package init(_ id: String, owner: String, conversation: String, said: Said) {
            self.id = id
            self.owner = owner
            self.conversation = conversation
            self.said = said
            position = 0
            status = "completed"
        }
    }

    /// A row of `usage`.
    package struct Usage: Sendable {
        package var request: String
        /// The counts are the provider's own.
        package var isProviders: Bool
        package var tokens: Tokens

        package init(request: String, isProviders: Bool, tokens: Tokens) {
            self.request = request
            self.isProviders = isProviders
            self.tokens = tokens
        }
    }

    package var turns: [Turn] = []
    /// The owners of stored completions, by id.
    package var completions: [String: String] = [:]
    package var usage: [Usage] = []

    package init() {}
}
