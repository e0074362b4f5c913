/// The two wires on which a model writes.
package enum CompletionForm: Sendable {
    /// `/v1/chat/completions`: messages and deltas.
    case chat
    /// `/v1/completions`: texts.
    case text
}

/// What chat and text completions ask alike.
package protocol CompletionRequest: Sendable {
    /// The model's id as the caller wrote it.
    var model: String { get }
    /// The reply is a stream of events.
    var isStream: Bool { get }
    /// The caller wants the usage chunk.
    var includesUsage: Bool { get }
    /// How many choices the reply has, from 1.
    var choices: Int { get }
    /// About how many characters the model has to read, for an estimate of its tokens.
    var characterCount: Int { get }
}
