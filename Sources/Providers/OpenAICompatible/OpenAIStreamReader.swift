import JSON
import OpenAI

/// Reads the events of a stream of chat or text completions. The answer is complete when every choice has its
/// finish reason; `[DONE]` adds nothing to that, and its absence takes nothing away.
struct OpenAIStreamReader: StreamReader {
    private struct ChoiceState {
        var calls: ToolCallTracker
        /// A call of the old form has begun, of a function that the request has.
        var callsFunction = false
        /// Something was said that is no thought and no call.
        var hasAnswer = false
        var isFinished = false
    }

    private let question: Question
    private var choices: [Int: ChoiceState] = [:]
    private var origin: Origin?
    private var isFinished = false
    private var isDone = false
    /// Choice 0 has been introduced and has not ended.
    private var expectsText = false
    private var hasOrdinaryText = false

    init(_ question: Question) {
        self.question = question
    }

    mutating func read(_ data: [UInt8]) throws(ProviderFailure) -> [ChatEvent] {
        if isDone { return [] }
        // The first event is always decoded: it may say who speaks.
        if expectsText, let chunk = OrdinaryChunk(data.span) {
            guard !chunk.content.isEmpty else { return [] }
            hasOrdinaryText = true
            return [.text(data[chunk.content])]
        }
        if isEndMark(data) {
            isDone = true
            return try conclude(choices: question.leastChoices)
        }
        // Some keep the connection alive by events without content.
        if data.allSatisfy({ $0 <= 32 }) { return [] }
        return try decodeEvent(data)
    }

    mutating func end() throws(ProviderFailure) -> [ChatEvent] {
        if isDone { return [] }
        isDone = true
        // Only `[DONE]` says that a provider has meant to give fewer than were asked for.
        return try conclude(choices: question.choices)
    }

    private mutating func conclude(choices least: Int) throws(ProviderFailure) -> [ChatEvent] {
        guard choices.count >= least, choices.values.allSatisfy(\.isFinished)
        else {
            throw .disconnected("the stream ended without a finish_reason")
        }
        let events: [ChatEvent] = isFinished ? [.done] : [.finished, .done]
        isFinished = true
        return events
    }

    private mutating func decodeEvent(_ data: [UInt8]) throws(ProviderFailure) -> [ChatEvent] {
        let root = try decode(data)
        if let failure = statedFailure(root) { throw failure }
        var events: [ChatEvent] = []
        let known = origin ?? Origin()
        let news = Origin(root)
        if news != known, !news.isEmpty { events.append(.origin(news)) }
        origin = news.isEmpty ? known : news
        if let list = root["choices"] {
            for choice in list.elements { events += try step(choice) }
        }
        if let usage = root["usage"].flatMap(Usage.init) { events.append(.usage(usage)) }
        if !isFinished, choices.count >= question.choices,
            choices.values.allSatisfy(\.isFinished)
        {
            isFinished = true
            events.append(.finished)
        }
        expectsText = question.form == .chat && choices[0]?.isFinished == false
        return events
    }

    /// One element of `choices`: what it says before text, text, what comes after.
    private mutating func step(_ node: Node) throws(ProviderFailure) -> [ChatEvent] {
        let index = node["index"]?.integer ?? 0
        guard (0..<max(question.choices, 128)).contains(index) else {
            throw .badResponse("choice \(index)")
        }
        var state =
            choices[index]
            ?? ChoiceState(calls: ToolCallTracker(question, choice: index))
        defer { choices[index] = state }
        if state.isFinished { return [] }
        if question.form == .text {
            var step = try textStep(node, index)
            step.delta.removeAll(where: isEmptyText)
            state.isFinished = step.finishReason != nil
            return events(step.delta, step)
        }
        let delta = node["delta"] ?? node["message"]
        var last = ChoiceDelta(index: index, logprobs: allowedLogprobs(node["logprobs"]))
        var members = delta.map { allowedMembers($0, question.toolNames) } ?? []
        members.removeAll(where: isEmptyText)
        if let name = delta?["function_call"]?["name"]?.string, !name.isEmpty {
            state.callsFunction = question.toolNames.contains(name)
        }
        if !state.callsFunction { members.removeAll { $0.key == "function_call" } }
        if members.contains(where: isAnswer) { state.hasAnswer = true }
        if let list = delta?["tool_calls"] { last.toolCalls = state.calls.pieces(list) }
        last.finishReason = try finishReason(
            node["finish_reason"], hasCalls: !state.calls.isEmpty,
            callsFunction: state.callsFunction)
        if last.finishReason != nil {
            state.isFinished = true
            last.toolCalls += try state.calls.close()
            guard state.hasAnswer || !state.calls.areLeftOut || (hasOrdinaryText && index == 0)
            else { throw .undeclaredCalls }
        }
        return events(members, last)
    }

    private func events(_ members: [Member], _ last: ChoiceDelta) -> [ChatEvent] {
        var last = last
        var events: [ChatEvent] = []
        if last.index == 0, last.logprobs == nil,
            let content = members.first(where: { $0.key == "content" })
        {
            let others = members.filter { $0.key != "content" }
            if !others.isEmpty { events.append(.choices([ChoiceDelta(delta: others)])) }
            events.append(.text(EscapedText.unquoted(content.value.encoded()[...])))
            last.delta = []
        } else {
            last.delta = members
        }
        return events + endingApart(last)
    }
}

/// The end of a choice as a step of its own: what must come before it (citations, say) finds its
/// place, and the last delta is empty.
func endingApart(_ step: ChoiceDelta) -> [ChatEvent] {
    var step = step
    var steps: [ChoiceDelta] = []
    if let reason = step.finishReason, !step.delta.isEmpty || !step.toolCalls.isEmpty {
        step.finishReason = nil
        steps = [step, ChoiceDelta(index: step.index, finishReason: reason)]
    } else if !step.isEmpty {
        steps = [step]
    }
    return steps.map { .choices([$0]) }
}

private let endMark = Array("[DONE]".utf8)

private func isEndMark(_ data: [UInt8]) -> Bool {
    if data == endMark { return true }
    guard data.count < 32, data.contains(UInt8(ascii: "[")) else { return false }
    return String(decoding: data, as: UTF8.self).split(separator: " ") == ["[DONE]"]
}
