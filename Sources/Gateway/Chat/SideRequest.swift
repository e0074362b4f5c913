internal import HTTP
internal import OpenAI

/// Recognises the requests that a front end makes on its own: titles, tags, follow-ups, queries, choice of tools.
/// They carry the chat's id but are no part of the talk.
struct SideRequest: Sendable {
    /// Fields whose non-empty value names a task.
    let headers: [String]
    /// Beginnings of prompts that are tasks.
    let prefixes: [String]

    func recognises(_ request: ChatCompletionRequest, _ fields: Fields) -> Bool {
        if headers.contains(where: { Self.namesTask(fields[$0]) }) { return true }
        guard !request.isStream, let text = request.soleText else { return false }
        if prefixes.contains(where: { Self.begins(text, $0) }) { return true }
        return request.messages.contains { $0.role.isInstruction && Self.listsTools($0.text) }
    }

    /// A template that the front end did not fill, such as `{{TASK}}`, names nothing.
    private static func namesTask(_ value: String?) -> Bool {
        guard let value, !value.isEmpty else { return false }
        return !value.hasPrefix("{{")
    }

    /// People write headings too: this one counts only with the history that the template puts below it.
    private static func begins(_ text: String, _ prefix: String) -> Bool {
        text.hasPrefix(prefix) && (prefix != "### Task:" || text.contains("<chat_history>"))
    }

    /// Open WebUI puts a model's own instructions in front of the list.
    private static func listsTools(_ text: String) -> Bool {
        text.hasPrefix("Available Tools:") || text.contains("\nAvailable Tools:")
    }
}
