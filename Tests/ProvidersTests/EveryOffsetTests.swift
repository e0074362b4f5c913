import HTTP
import JSON
import OpenAI
import Providers
import Testing

/// What a client would be told of a stream that ends here.
private struct Verdict {
    var isSuccess = false
    var isFinished = false
    var text: [UInt8] = []

    /// Frames and reads as a worker does, up to the end of the body.
    init(_ bytes: some Collection<UInt8>, _ provider: any Provider, _ question: Question) {
        var reader = provider.reader(of: question)
        do {
            var events = EventStreamParser()
            var lines = LineParser()
            switch provider.framing {
            case .serverSentEvents:
                events.append(Array(bytes))
                while let event = try events.next() { take(try reader.read(event.data)) }
            case .lines:
                lines.append(Array(bytes))
                while let line = try lines.next() { take(try reader.read(line)) }
                if let rest = lines.end() { take(try reader.read(rest)) }
            }
            take(try reader.end())
            isSuccess = true
        } catch {}
    }

    private mutating func take(_ events: [ChatEvent]) {
        for event in events {
            if case .text(let piece) = event { text += piece }
            if case .finished = event { isFinished = true }
        }
    }
}

/// Where the terminal event of a recorded stream is complete, told from its spelling alone; `nil` if it has none.
private func terminal(of stream: [UInt8], _ framing: Framing) -> Int? {
    let text = String(decoding: stream, as: UTF8.self)
    let isEvents = framing == .serverSentEvents
    let marks = isEvents ? ["\"finish_reason\":\"", "\"finish_reason\": \""] : ["\"done\":true"]
    guard let mark = marks.compactMap({ text.ranges(of: $0).last?.upperBound }).max(),
        let end = text[mark...].firstRange(of: isEvents ? "\n\n" : "\n")
    else { return nil }
    return text[..<(isEvents ? end.upperBound : end.lowerBound)].utf8.count
}

@Suite("A provider that dies, at every byte offset")
struct EveryOffsetTests {
    private static let whole = [
        "azure-content-filter", "gemini-tools", "llamacpp", "mistral-parts", "ollama-openai",
        "ollama-openai-tools", "openai-custom-tool", "openai-logprobs", "openai-old-function",
        "openai-refusal", "openai-tools-usage", "openai-two-choices", "vllm",
        "vllm-continuous-usage", "vllm-reasoning-tools",
    ]

    private static let native = [
        "native", "native-length", "native-logprobs", "native-thinking-tools",
    ]

    @Test(
        "B17: of an OpenAI-compatible stream, succeeds only when its last finish_reason is complete",
        arguments: whole)
    func openAIStream(name: String) throws {
        let choices = name.contains("two-choices") ? 2 : 1
        try check(fixture("streams/\(name).sse"), openAI, question(choices: choices))
    }

    @Test(
        "B17: of an Ollama stream, succeeds only when its last line is complete", arguments: native)
    func ollamaStream(name: String) throws {
        try check(fixture("streams/\(name).ndjson"), ollama, question())
    }

    @Test("B17: of a stream of texts, succeeds only when every text has its end")
    func textStream() throws {
        for name in ["vllm", "llamacpp", "two-prompts"] {
            let prompts = name == "two-prompts" ? #"["a","b"]"# : #""a""#
            try check(
                fixture("texts/\(name).sse"), openAI, textQuestion(#""prompt":\#(prompts)"#))
        }
        try check(fixture("texts/native.ndjson"), ollama, textQuestion())
    }

    private func check(_ stream: [UInt8], _ provider: any Provider, _ question: Question) throws {
        let end = try #require(terminal(of: stream, provider.framing))
        let whole = Verdict(stream, provider, question)
        #expect(whole.isSuccess && whole.isFinished)
        for offset in 0...stream.count {
            let verdict = Verdict(stream[..<offset], provider, question)
            let isRight =
                verdict.isSuccess == (offset >= end) && verdict.isFinished == (offset >= end)
                && whole.text.starts(with: verdict.text)
                && StringLiteral.decode(content: verdict.text) != nil
            if !isRight { Issue.record("cut at \(offset) of \(stream.count), whole at \(end)") }
        }
    }

    @Test("B17: of a reply that is not streamed, succeeds only with all of it")
    func replies() throws {
        let twice = try question(choices: 2)
        for (name, provider) in [("openai-tools", openAI), ("vllm", openAI), ("ollama", ollama)]
            as [(String, any Provider)]
        {
            let body = try fixture("replies/\(name).json").dropLast()
            for length in 0...body.count {
                let completion = try? provider.completion(Array(body.prefix(length)), to: twice)
                if (completion != nil) != (length == body.count) {
                    Issue.record("\(name) cut at \(length) of \(body.count)")
                }
            }
        }
    }

    @Test("B17: a body that merely ends does not stand for a choice that never came")
    func missingChoice() throws {
        let one = #"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#
        let twice = try question(choices: 2)
        let cut = Verdict(Array((one + "\n\n").utf8), openAI, twice)
        #expect(!cut.isSuccess && !cut.isFinished)
        // Some providers know no `n`; one that says that it is done has given what it has.
        let done = Verdict(Array((one + "\n\ndata: [DONE]\n\n").utf8), openAI, twice)
        #expect(done.isSuccess && done.isFinished)
    }

    @Test("B17: a reply of Ollama that says it is not done is none")
    func notDone() throws {
        for (member, isRead) in [(#""done":false,"#, false), (#""done":true,"#, true), ("", true)] {
            let body = #"{\#(member)"message":{"role":"assistant","content":"half"}}"#
            let read = try? ollama.completion(Array(body.utf8), to: question())
            #expect((read != nil) == isRead, "\(member)")
        }
    }
}
