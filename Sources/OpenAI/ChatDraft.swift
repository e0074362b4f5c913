package import JSON

/// What a stream has said so far, put together again: the reply to a caller who did not want a
/// stream, or the answer to be stored, finished or not.
package struct ChatDraft: Sendable {
    private var drafts: [Int: ChoiceDraft] = [:]
    /// Text of choice 0 that has not gone into its draft: ordinary chunks only append here.
    private var run: [UInt8] = []

    /// Nothing said yet.
    package init() {}

    /// More text of choice 0, the inside of a JSON string literal.
    package mutating func append(_ escaped: ArraySlice<UInt8>) {
        run.append(contentsOf: escaped)
    }

    /// A step of a choice.
    package mutating func append(_ delta: ChoiceDelta) {
        settle()
        drafts[delta.index, default: ChoiceDraft()].append(delta)
    }

    private mutating func settle() {
        guard !run.isEmpty else { return }
        drafts[0, default: ChoiceDraft()].append(run[...], to: "content")
        run.removeAll(keepingCapacity: true)
    }

    private var choices: [Int: ChoiceDraft] {
        var whole = self
        whole.settle()
        return whole.drafts
    }

    /// The text of choice 0.
    package var text: String { text("content") }

    /// A string member of choice 0, such as `reasoning_content` or `refusal`.
    package func text(_ key: String) -> String {
        guard let escaped = choices[0]?.texts.first(where: { $0.key == key })?.escaped else {
            return ""
        }
        return StringLiteral.decode(EscapedText.quoted(escaped[...])) ?? ""
    }

    /// The calls of choice 0.
    package var toolCalls: [ToolCall] { choices[0]?.toolCalls ?? [] }

    /// Why choice 0 ended; `nil` while it has not.
    package var finishReason: FinishReason? { choices[0]?.finishReason }

    /// The answer as the client will send it back in its next request.
    package var canonical: CanonicalMessage {
        CanonicalMessage(role: .assistant, text: text, toolCalls: toolCalls)
    }

    /// What was said so far as one step for each choice, in order, without its end.
    package func steps() -> [ChoiceDelta] {
        choices.sorted { $0.key < $1.key }.map { index, choice in
            ChoiceDelta(
                index: index, delta: choice.members,
                toolCalls: choice.calls.sorted { $0.key < $1.key }.map(\.value),
                logprobs: choice.joinedLogprobs)
        }
    }

    /// The choices of a reply, in order; one without an end counts as stopped.
    package func completed() -> [ChatCompletion.Choice] {
        choices.sorted { $0.key < $1.key }.map { index, choice in
            ChatCompletion.Choice(
                index: index, message: choice.message,
                finishReason: choice.finishReason ?? .stop, logprobs: choice.joinedLogprobs)
        }
    }
}

private struct ChoiceDraft {
    var texts: [(key: String, escaped: [UInt8])] = []
    var others: [Member] = []
    var calls: [Int: ToolCallDelta] = [:]
    var function: (name: String, arguments: String)?
    var finishReason: FinishReason?
    /// Elements of the lists, without brackets.
    var logprobs: [String: [UInt8]] = [:]
}

extension ChoiceDraft {
    fileprivate mutating func append(_ escaped: ArraySlice<UInt8>, to key: String) {
        if let place = texts.firstIndex(where: { $0.key == key }) {
            texts[place].escaped.append(contentsOf: escaped)
        } else {
            texts.append((key, Array(escaped)))
        }
    }

    fileprivate mutating func append(_ delta: ChoiceDelta) {
        for member in delta.delta where member.key != "role" { append(member) }
        for piece in delta.toolCalls {
            if calls[piece.index] == nil {
                calls[piece.index] = piece
            } else {
                calls[piece.index]?.arguments += piece.arguments
            }
        }
        finishReason = delta.finishReason ?? finishReason
        if let logprobs = delta.logprobs { append(logprobs: logprobs) }
    }

    private mutating func append(_ member: Member) {
        let bytes = member.value.encoded()
        if bytes.first == UInt8(ascii: "\"") {
            append(EscapedText.unquoted(bytes[...]), to: member.key)
        } else if member.key == "function_call", let call = try? Document(bytes) {
            function = (
                (function?.name ?? "") + (call.root["name"]?.string ?? ""),
                (function?.arguments ?? "") + (call.root["arguments"]?.string ?? "")
            )
        } else {
            others.removeAll { $0.key == member.key }
            others.append(member)
        }
    }

    /// A chunk's logprobs hold lists, which are joined name by name.
    private mutating func append(logprobs more: [UInt8]) {
        guard let more = try? Document(more) else { return }
        for key in Logprobs.names {
            guard let list = more.root[key], list.kind == .array else { continue }
            let elements = list.bytes.dropFirst().dropLast()
            if logprobs[key]?.isEmpty == false, list.count > 0 {
                logprobs[key]?.append(UInt8(ascii: ","))
            }
            logprobs[key, default: []].append(contentsOf: elements)
        }
    }

    fileprivate var joinedLogprobs: [UInt8]? {
        guard !logprobs.isEmpty else { return nil }
        return Logprobs.object(logprobs)
    }

    fileprivate var toolCalls: [ToolCall] {
        calls.sorted { $0.key < $1.key }.map { _, call in
            ToolCall(
                id: call.id ?? "", name: call.name ?? "",
                arguments: StringLiteral.decode(EscapedText.quoted(call.arguments[...])) ?? "",
                isCustom: call.isCustom)
        }
    }

    fileprivate var message: [Member] {
        guard !calls.isEmpty else { return members }
        return members + [Member("tool_calls", .array(toolCalls.map(\.value)))]
    }

    /// All but the calls of tools.
    fileprivate var members: [Member] {
        var members = texts.map { key, escaped in
            Member(key, .verbatim(EscapedText.quoted(escaped[...])))
        }
        if let function {
            members.append(
                Member(
                    "function_call",
                    ["name": .string(function.name), "arguments": .string(function.arguments)]))
        }
        return members + others
    }
}

extension ToolCall {
    /// The element of a message's `tool_calls`.
    package var value: Value {
        let kind = isCustom ? "custom" : "function"
        return [
            "id": .string(id),
            "type": .string(kind),
            kind: ["name": .string(name), (isCustom ? "input" : "arguments"): .string(arguments)],
        ]
    }
}
