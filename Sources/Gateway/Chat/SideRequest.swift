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
        if headers.contains(where: { !(fields[$0] ?? "").isEmpty }) { return true }
        guard !request.isStream, let text = request.soleText else { return false }
        if text.hasPrefix("### Task:"), text.contains("<chat_history>") { return true }
        if prefixes.contains(where: { text.hasPrefix($0) }) { return true }
        return request.messages.contains { message in
            message.role.isInstruction && message.text.hasPrefix("Available Tools:")
        }
    }
}
