import HTTP
import JSON

/// Makes the chunks of one stream, framed as server-sent events. Id, time and model are encoded
/// once; an ordinary chunk of text is three copies into the caller's buffer.
package struct ChunkTemplate: Sendable {
    /// No event is longer, since clients read lines of limited length.
    package static let limit = 65_535

    private let id: String
    private let created: Int
    private let model: String
    private let form: CompletionForm
    private var origin = Origin()
    /// `data: {…,"choices":[`
    private var head: [UInt8] = []
    /// `head` and what goes before the text of choice 0, such as `{"index":0,"delta":{"content":"`
    private var textHead: [UInt8] = []
    private let textTail: [UInt8]
    private static let tail = Array("]}\n\n".utf8)

    /// A stream's identity: `id` as `chatcmpl-…`, `created` in Unix seconds, `model` as asked for.
    package init(id: String, created: Int, model: String, form: CompletionForm = .chat) {
        self.id = id
        self.created = created
        self.model = model
        self.form = form
        textTail = Array((form.afterText + "}]}\n\n").utf8)
        prepare()
    }

    /// From now on every chunk says so too.
    package mutating func adopt(_ origin: Origin) {
        guard origin != self.origin else { return }
        self.origin = origin
        prepare()
    }

    /// The first chunk of each choice: `{"role":"assistant","content":""}`. Texts have none.
    package func opening(choices: Int = 1) -> [UInt8] {
        guard form == .chat else { return [] }
        return frames(
            (0..<max(choices, 1)).map { index in
                ChoiceDelta(
                    index: index,
                    delta: [Member("role", "assistant"), Member("content", "")])
            })
    }

    /// Text of choice 0, which is the inside of a JSON string literal already. More than a chunk
    /// may hold becomes several chunks.
    package func text(_ escaped: ArraySlice<UInt8>, into output: inout [UInt8]) {
        let room = Self.limit - textHead.count - textTail.count
        guard escaped.count > room else { return textChunk(escaped, into: &output) }
        for piece in EscapedText.pieces(escaped, limit: room) { textChunk(piece, into: &output) }
    }

    private func textChunk(_ escaped: ArraySlice<UInt8>, into output: inout [UInt8]) {
        output.append(contentsOf: textHead)
        output.append(contentsOf: escaped)
        output.append(contentsOf: textTail)
    }

    /// One chunk for each step; steps that show nothing give none, too long ones several.
    package func choices(_ deltas: [ChoiceDelta]) -> [UInt8] {
        frames(deltas.filter { !$0.isEmpty })
    }

    /// The last chunk of a choice.
    package func finish(_ reason: FinishReason, index: Int = 0) -> [UInt8] {
        frames([ChoiceDelta(index: index, finishReason: reason)])
    }

    /// The usage chunk, with `"choices":[]`.
    package func usage(_ usage: Usage) -> [UInt8] {
        frame(members(choices: []) + [Member("usage", usage.value)])
    }

    /// A failure in band: `{"error":{…}}` without `choices`. No `[DONE]` may follow.
    package func failure(_ error: APIError) -> [UInt8] {
        var output: [UInt8] = []
        ServerSentEvent.frame(data: error.body(), into: &output)
        return output
    }

    /// Citations in OpenAI's dialect: `delta.annotations` of choice 0.
    package func annotations(_ citations: [Citation], in text: String = "") -> [UInt8] {
        citations.flatMap { citation in
            frames([
                ChoiceDelta(delta: [
                    Member("annotations", .array([citation.annotation(in: text)]))
                ])
            ])
        }
    }

    /// Citations in Open WebUI's dialect: a `source` event each, in a chunk without choices.
    package func sources(_ citations: [Citation]) -> [UInt8] {
        citations.flatMap { citation in
            frame(members(choices: []) + [Member("event", citation.sourceEvent())])
        }
    }

    /// What was done for the answer, such as "Searched handbook: 3 documents", in Open WebUI's dialect: a `status`
    /// event in a chunk without choices, shown as a line above the text.
    package func status(_ description: String) -> [UInt8] {
        frame(
            members(choices: []) + [
                Member(
                    "event",
                    [
                        "type": "status",
                        "data": ["description": .string(description), "done": true],
                    ])
            ])
    }

    // MARK: - Making

    private mutating func prepare() {
        let chunk = Value.object(members(choices: [])).encoded()
        // The encoder writes `…"choices":[]}` last.
        head = Array("data: ".utf8) + chunk.dropLast(2)
        textHead = head + Array((#"{"index":0,"# + form.beforeText).utf8)
    }

    private func members(choices: [Value]) -> [Member] {
        [
            Member("id", .string(id)),
            Member("object", .string(form.chunkObject)),
            Member("created", .integer(created)),
            Member("model", .string(model)),
        ] + origin.members + [Member("choices", .array(choices))]
    }

    private func frames(_ deltas: [ChoiceDelta]) -> [UInt8] {
        var output: [UInt8] = []
        for delta in deltas { append(delta, to: &output) }
        return output
    }

    private func append(_ delta: ChoiceDelta, to output: inout [UInt8]) {
        let choice = delta.value(in: form).encoded()
        let room = Self.limit - head.count - Self.tail.count
        if choice.count > room, let parts = delta.divided(limit: room / 2) {
            for part in parts { append(part, to: &output) }
            return
        }
        output.append(contentsOf: head)
        output.append(contentsOf: choice)
        output.append(contentsOf: Self.tail)
    }

    private func frame(_ members: [Member]) -> [UInt8] {
        var output: [UInt8] = []
        ServerSentEvent.frame(data: Value.object(members).encoded(), into: &output)
        return output
    }
}

extension CompletionForm {
    /// `object` of a chunk.
    fileprivate var chunkObject: String {
        switch self {
        case .chat: "chat.completion.chunk"
        case .text: "text_completion"
        }
    }

    /// Of a choice that says nothing but text: from behind its index to the text.
    fileprivate var beforeText: String {
        switch self {
        case .chat: #""delta":{"content":""#
        case .text: #""text":""#
        }
    }

    /// The same: from the text to the end.
    fileprivate var afterText: String {
        switch self {
        case .chat: #""},"finish_reason":null"#
        case .text: #"","logprobs":null,"finish_reason":null"#
        }
    }
}

extension ChoiceDelta {
    /// Several steps that together say the same, each with at most about `limit` bytes; `nil` when
    /// nothing here can be divided (a picture, say). Order: members, calls, logprobs, then the end.
    fileprivate func divided(limit: Int) -> [ChoiceDelta]? {
        var parts: [ChoiceDelta] = []
        for member in delta {
            let bytes = member.value.encoded()
            let inside = EscapedText.unquoted(bytes[...])
            guard inside.count > limit else {
                parts.append(ChoiceDelta(index: index, delta: [member]))
                continue
            }
            for piece in EscapedText.pieces(inside, limit: limit) {
                let part = Member(member.key, .verbatim(EscapedText.quoted(piece)))
                parts.append(ChoiceDelta(index: index, delta: [part]))
            }
        }
        for call in toolCalls {
            for piece in call.divided(limit: limit) {
                parts.append(ChoiceDelta(index: index, toolCalls: [piece]))
            }
        }
        for piece in logprobs.map({ Logprobs.pieces($0, limit: limit) }) ?? [] {
            parts.append(ChoiceDelta(index: index, logprobs: piece))
        }
        guard parts.count > 1 else { return nil }
        if finishReason != nil {
            parts.append(ChoiceDelta(index: index, finishReason: finishReason))
        }
        return parts
    }
}

extension ToolCallDelta {
    fileprivate func divided(limit: Int) -> [ToolCallDelta] {
        guard arguments.count > limit else { return [self] }
        return EscapedText.pieces(arguments[...], limit: limit).enumerated().map { number, piece in
            var part = self
            part.arguments = Array(piece)
            if number > 0 {
                part.id = nil
                part.name = nil
            }
            return part
        }
    }
}
