internal import JSON
internal import OpenAI
internal import Providers

/// What the provider has said so far, as it will be stored, and what of it the caller has yet to hear.
struct ChatAnswer: Sendable {
    private var draft = ChatDraft()
    private var whole: [ChatCompletion.Choice]?
    /// Of the retrieved passages; nil where nothing was looked for.
    private let numbers: Set<Int>?
    /// By choice.
    private var filters: [Int: CitationFilter] = [:]
    /// The last steps of the choices, held back until nothing may follow them.
    private(set) var endings: [ChoiceDelta] = []
    private(set) var usage: Usage?
    private(set) var origin = Origin()
    /// Every choice has its finish reason.
    private(set) var isFinished = false
    /// Something has been said.
    private(set) var hasBegun = false

    /// With the numbers of the retrieved passages, references to others are removed.
    init(filtering numbers: Set<Int>?) {
        self.numbers = numbers
    }

    /// Nothing of it has reached the caller, and another attempt begins: nothing of this one may stay.
    mutating func restart() {
        self = ChatAnswer(filtering: numbers)
    }

    /// The numbers that the texts refer to.
    var cited: Set<Int> { filters.values.reduce(into: []) { $0.formUnion($1.cited) } }

    /// The answer as stored, whole or not; empty when nothing was said.
    var choices: [ChatCompletion.Choice] { whole ?? (hasBegun ? draft.completed() : []) }

    /// All that a stream has said, without the ends, for a caller who has heard nothing of it.
    var steps: [ChoiceDelta] { draft.steps() }

    /// Of all texts, for an estimate.
    var characterCount: Int { choices.reduce(0) { $0 + $1.text.count } }

    /// Takes a step of the stream and appends what the caller hears of it, framed.
    mutating func take(
        _ event: ChatEvent, _ template: inout ChunkTemplate, into output: inout [UInt8]
    ) {
        switch event {
        case .text(let escaped):
            hasBegun = true
            guard let numbers else {
                draft.append(escaped)
                template.text(escaped, into: &output)
                return
            }
            let text = filters[0, default: CitationFilter(known: numbers)].pass(escaped)
            say(text[...], template, into: &output)
        case .choices(let deltas):
            hasBegun = true
            take(deltas, template, into: &output)
        case .origin(let origin):
            self.origin = origin
            template.adopt(origin)
        case .usage(let usage): self.usage = usage
        case .finished: isFinished = true
        case .done: break
        }
    }

    /// The provider has ended: what the filter held back.
    mutating func end(_ template: ChunkTemplate, into output: inout [UInt8]) {
        say((filters[0]?.end() ?? [])[...], template, into: &output)
    }

    /// More text of ours after the provider's.
    mutating func append(
        _ text: ArraySlice<UInt8>, _ template: ChunkTemplate, into output: inout [UInt8]
    ) {
        say(text, template, into: &output)
    }

    /// Takes a reply that is not streamed.
    mutating func take(_ completion: ProviderCompletion) {
        hasBegun = true
        isFinished = true
        usage = completion.usage
        origin = completion.origin
        whole = completion.choices.map { choice in
            guard let numbers else { return choice }
            var (choice, filter) = (choice, CitationFilter(known: numbers))
            let text = filter.pass(choice.text.utf8) + filter.end()
            choice.setText(String(decoding: text, as: UTF8.self))
            filters[choice.index] = filter
            return choice
        }
    }

    /// Puts text after that of the first choice, for a reply that is not streamed.
    mutating func append(_ text: String) {
        guard var choices = whole, let first = choices.first, !text.isEmpty else { return }
        choices[0].setText(first.text + text)
        whole = choices
    }

    private mutating func take(
        _ deltas: [ChoiceDelta], _ template: ChunkTemplate, into output: inout [UInt8]
    ) {
        var spoken: [ChoiceDelta] = []
        for var delta in deltas {
            filterContent(of: &delta)
            draft.append(delta)
            if delta.finishReason != nil {
                endings.append(ChoiceDelta(index: delta.index, finishReason: delta.finishReason))
                delta.finishReason = nil
            }
            if !delta.isEmpty { spoken.append(delta) }
        }
        if !spoken.isEmpty { output += template.choices(spoken) }
    }

    /// Content that came as an unusual chunk, of another choice or with its probabilities. What the filter still holds
    /// back of another choice goes out with its end.
    private mutating func filterContent(of delta: inout ChoiceDelta) {
        guard let numbers else { return }
        let content = delta.delta.first { $0.key == "content" }?.value.encoded() ?? []
        let isLast = delta.finishReason != nil && delta.index > 0
        guard !content.isEmpty || isLast else { return }
        var filter = filters[delta.index] ?? CitationFilter(known: numbers)
        let text = filter.pass(EscapedText.unquoted(content[...])) + (isLast ? filter.end() : [])
        filters[delta.index] = filter
        delta.delta.removeAll { $0.key == "content" }
        guard !text.isEmpty else { return }
        delta.delta.append(Member("content", .verbatim(EscapedText.quoted(text[...]))))
    }

    private mutating func say(
        _ text: ArraySlice<UInt8>, _ template: ChunkTemplate, into output: inout [UInt8]
    ) {
        guard !text.isEmpty else { return }
        draft.append(text)
        template.text(text, into: &output)
    }
}
