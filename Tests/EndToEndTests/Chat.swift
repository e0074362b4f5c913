import Foundation
import TestSupport

/// A chat completion that a client asks for. What it says holds the planted word, unless a test says otherwise.
struct Chat {
    var model: String
    var messages: [[String: Any]]
    var isStream = false
    /// More members of the body.
    var members: [String: Any] = [:]
    /// More fields of the request.
    var fields: [(name: String, value: String)] = []

    init(_ model: String, _ text: String = "canary-prompt-7f3a What is it?") {
        self.model = model
        messages = [Self.user(text)]
    }

    static func user(_ text: String) -> [String: Any] { ["role": "user", "content": text] }

    static func assistant(_ text: String) -> [String: Any] {
        ["role": "assistant", "content": text]
    }

    /// The same as a stream.
    var streamed: Chat { with { $0.isStream = true } }

    /// The same in the front end's chat of this id.
    func inChat(_ id: String) -> Chat { with { $0.fields.append(("X-OpenWebUI-Chat-Id", id)) } }

    /// The same under a name by which the web server's log knows it.
    func event(_ name: String) -> Chat { with { $0.fields.append(("X-Event", name)) } }

    /// The same, changed.
    func with(_ change: (inout Chat) -> Void) -> Chat {
        var chat = self
        change(&chat)
        return chat
    }

    var request: WebRequest {
        var request = WebRequest("POST", "/v1/chat/completions")
        request.fields = [("Content-Type", "application/json")] + fields
        var body = members
        body["model"] = model
        body["messages"] = messages
        if isStream { body["stream"] = true }
        // The same chat is the same bytes.
        request.body =
            (try? JSONSerialization.data(
                withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes])).map {
                Array($0)
            }
        return request
    }
}
