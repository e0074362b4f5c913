import Foundation
import Providers
import Testing

/// Each recorded stream has a file with the events that it means. `RECORD=1` writes the files anew;
/// what it changes is to be read before it is kept.
@Suite struct StreamTests {
    @Test("an OpenAI-compatible stream means its events", arguments: try recordedStreams(".sse"))
    func openAIStreams(_ name: String) throws {
        let choices = name.contains("two-choices") ? 2 : 1
        try compare("streams/\(name)", ".sse", openAI, question(choices: choices))
    }

    @Test("an Ollama stream means its events", arguments: try recordedStreams(".ndjson"))
    func ollamaStreams(_ name: String) throws {
        try compare("streams/\(name)", ".ndjson", ollama, question())
    }

    @Test(
        "an OpenAI-compatible stream of texts means its events",
        arguments: try recordedStreams(".sse", in: "texts"))
    func openAITexts(_ name: String) throws {
        let prompt = name.contains("two-prompts") ? #"["a","b"]"# : #""a""#
        try compare("texts/\(name)", ".sse", openAI, textQuestion(#""prompt":\#(prompt)"#))
    }

    @Test(
        "an Ollama stream of texts means its events",
        arguments: try recordedStreams(".ndjson", in: "texts"))
    func ollamaTexts(_ name: String) throws {
        try compare("texts/\(name)", ".ndjson", ollama, textQuestion())
    }

    @Test(
        "a stream cut after any event is a failure until the answer has its end",
        arguments: [
            "vllm", "vllm-reasoning-tools", "openai-tools-usage", "openai-logprobs", "llamacpp",
        ])
    func cut(_ name: String) throws {
        let all = try pieces(fixture("streams/\(name).sse"), .serverSentEvents)
        for length in 0...all.count {
            var reader = openAI.reader(of: try question())
            var isFinished = false
            for piece in all.prefix(length) {
                for case .finished in try reader.read(piece) { isFinished = true }
            }
            let end = Result { try reader.end() }
            #expect(((try? end.get()) != nil) == isFinished, "after \(length) events")
        }
    }

    private func compare(
        _ name: String, _ ending: String, _ provider: any Provider, _ question: Question
    ) throws {
        let events = try reading(fixture("\(name)\(ending)"), by: provider, to: question)
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            let here = URL(filePath: #filePath).deletingLastPathComponent()
            try Data(events.utf8).write(
                to: here.appending(path: "Fixtures/\(name).events"))
            return
        }
        #expect(try events == text(fixture("\(name).events")))
    }
}
