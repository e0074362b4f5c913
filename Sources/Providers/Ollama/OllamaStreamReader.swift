import JSON
import OpenAI

/// Reads the lines of `/api/chat`, or of `/api/generate`. The line with `"done":true` is the end; calls come whole.
struct OllamaStreamReader: StreamReader {
    private let form: CompletionForm
    private var calls: ToolCallTracker
    private var isDone = false
    /// Something was said that is no thought and no call.
    private var hasAnswer = false

    init(_ question: Question) {
        form = question.form
        calls = ToolCallTracker(question, choice: 0)
    }

    mutating func read(_ data: [UInt8]) throws(ProviderFailure) -> [ChatEvent] {
        // An empty line is no line.
        if isDone || data.allSatisfy({ $0 <= 32 }) { return [] }
        let root = try decode(data)
        if let failure = statedFailure(root) { throw failure }
        var events: [ChatEvent] = []
        var last = ChoiceDelta(logprobs: form == .chat ? ollamaLogprobs(root) : nil)
        if form == .text {
            let text = ollamaText(root)
            guard text != nil || root["done"]?.boolean == true else {
                throw .badResponse("a line without a response")
            }
            append(text.map { [$0] } ?? [], to: &events, &last)
        } else if let message = root["message"] {
            append(ollamaMembers(message), to: &events, &last)
            if let list = message["tool_calls"] { last.toolCalls = calls.wholePieces(list) }
        }
        if root["done"]?.boolean == true {
            last.toolCalls += try calls.close()
            guard hasAnswer || !calls.areLeftOut else { throw .undeclaredCalls }
            last.finishReason =
                try finishReason(root["done_reason"], hasCalls: !calls.isEmpty)
                ?? (calls.isEmpty ? .stop : .toolCalls)
        }
        events += endingApart(last)
        guard last.finishReason != nil else { return events }
        isDone = true
        if let usage = ollamaUsage(root) { events.append(.usage(usage)) }
        return events + [.finished, .done]
    }

    mutating func end() throws(ProviderFailure) -> [ChatEvent] {
        guard isDone else { throw .disconnected("the stream ended without done") }
        return []
    }

    private mutating func append(
        _ members: [Member], to events: inout [ChatEvent], _ last: inout ChoiceDelta
    ) {
        if members.contains(where: isAnswer) { hasAnswer = true }
        for member in members {
            let literal = member.value.encoded()
            guard literal.count > 2 else { continue }
            if member.key == "content", last.logprobs == nil {
                events.append(.text(EscapedText.unquoted(literal[...])))
            } else if last.logprobs == nil {
                events.append(.choices([ChoiceDelta(delta: [member])]))
            } else {
                last.delta.append(member)
            }
        }
    }
}
