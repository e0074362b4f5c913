package import OpenAI

/// A text completion to be asked for.
package struct TextCall: Sendable {
    /// What the caller wants.
    package var request: TextCompletionRequest
    /// The model's name at the provider.
    package var model: String
    /// Ask for a stream, whatever the caller wants for himself.
    package var isStream: Bool
    /// Changes to the caller's parameters; defaults are not among them.
    package var adjustments = Adjustments()

    /// A call as given.
    package init(_ request: TextCompletionRequest, model: String, isStream: Bool) {
        self.request = request
        self.model = model
        self.isStream = isStream
    }
}

extension Question {
    /// The question that a call puts.
    package init(_ call: TextCall, completionID: String) {
        form = .text
        choices = call.request.choices
        leastChoices = call.request.prompts
        self.completionID = completionID
        toolNames = []
    }
}
