/// What a client saw of a reply.
package struct Transcript: Sendable {
    package var isStream: Bool
    package var status: Int?
    /// `[DONE]` came; in a reply that is no stream: a whole completion.
    package var isDone = false
    /// An error came, in band or as the body.
    package var hasError = false
    /// Events came behind the one that ends the stream.
    package var goesOn = false
    /// The transfer ended as a whole one does.
    package var isClean = false
    /// The client did not wait for the end.
    package var hasLeft = false

    package init(isStream: Bool) {
        self.isStream = isStream
    }

    /// A whole answer.
    package var isWhole: Bool { status == 200 && isDone && !hasError }

    /// What is wrong with it, if something is: a reply ends in exactly one of whole, error and broken transfer.
    var fault: Violation.Kind? {
        if isDone && hasError || goesOn { return .contradictoryEnd }
        if !isClean || hasLeft || isDone || hasError { return nil }
        return .cleanTruncation
    }
}
