internal import OpenAI
internal import Providers

/// What the provider has said so far, as it will be stored, and what of it the caller has yet to hear.
struct ChatAnswer: Sendable {
    private var draft = ChatDraft()
    private var whole: [ChatCompletion.Choice]?
    private var filter: CitationFilter?
    /// The last steps of the choices, held back until nothing may follow them.
    private(set) var endings: [ChoiceDelta] = []
    private(set) var usage: Usage?
    private(set) var origin = Origin()
    /// Every choice has its finish reason.
    private(set) var isFinished = false
    /// Something has been said: another provider may not begin again.
    private(set) var hasBegun = false

    /// With the numbers of the retrieved passages, references to others are removed.
    init(filtering numbers: Set<Int>?) {
        filter = numbers.map(CitationFilter.init)
    }

    /// The numbers that the text refers to.
    var cited: Set<Int> { filter?.cited ?? [] }

    /// The answer as stored, whole or not; empty when nothing was said.
    var choices: [ChatCompletion.Choice] { whole ?? (hasBegun ? draft.completed() : []) }

    /// Of all texts, for an estimate.
    var characterCount: Int { choices.reduce(0) { $0 + $1.text.count } }

    /// Takes a step of the stream and appends what the caller hears of it, framed.
    mutating func take(
        _ event: ChatEvent, _ template: inout ChunkTemplate, into output: inout [UInt8]
    ) {
        switch event {
        case .text(let escaped):
            hasBegun = true
            guard filter != nil else {
                draft.append(escaped)
                template.text(escaped, into: &output)
                return
            }
            say((filter?.pass(escaped) ?? [])[...], template, into: &output)
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
        say((filter?.end() ?? [])[...], template, into: &output)
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
            guard filter != nil else { return choice }
            var choice = choice
            let text = (filter?.pass(choice.text.utf8) ?? []) + (filter?.end() ?? [])
            choice.setText(String(decoding: text, as: UTF8.self))
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
            draft.append(delta)
            if delta.finishReason != nil {
                endings.append(ChoiceDelta(index: delta.index, finishReason: delta.finishReason))
                delta.finishReason = nil
            }
            if !delta.isEmpty { spoken.append(delta) }
        }
        if !spoken.isEmpty { output += template.choices(spoken) }
    }

    private mutating func say(
        _ text: ArraySlice<UInt8>, _ template: ChunkTemplate, into output: inout [UInt8]
    ) {
        guard !text.isEmpty else { return }
        draft.append(text)
        template.text(text, into: &output)
    }
}
