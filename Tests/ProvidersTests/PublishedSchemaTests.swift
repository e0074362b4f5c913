import Foundation
import JSON
import OpenAI
import Providers
import Testing

/// What real providers said, as we tell it, fits the schemas that OpenAI publishes.
@Suite("Recorded streams under OpenAI's published schemas") struct RecordedStreamSchemaTests {
    private static func schema(_ name: String) throws -> Schema {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.appending(path: "OpenAITests/Fixtures/schemas/\(name).json")
        return Schema(try Document([UInt8](try Data(contentsOf: file))).root)
    }

    /// The schema of chunks knows no custom tools.
    private static let exceptions = ["openai-custom-tool"]

    @Test("chunks and whole replies fit", arguments: try recordedStreams(".sse"))
    func openAIStreams(name: String) throws {
        try check(name, ".sse", openAI)
    }

    @Test("those of Ollama's own wire fit", arguments: try recordedStreams(".ndjson"))
    func ollamaStreams(name: String) throws {
        try check(name, ".ndjson", ollama)
    }

    private func check(_ name: String, _ ending: String, _ provider: any Provider) throws {
        var template = ChunkTemplate(id: "chatcmpl-1", created: 1, model: "m")
        var (draft, output) = (ChatDraft(), [UInt8]())
        var reply = ChatCompletion(id: "i", created: 1, model: "m", choices: [], usage: nil)
        for event in try events(fixture("streams/\(name)\(ending)"), by: provider) {
            switch event {
            case .text(let text):
                template.text(text, into: &output)
                draft.append(text)
            case .choices(let deltas):
                output += template.choices(deltas)
                deltas.forEach { draft.append($0) }
            case .origin(let origin):
                template.adopt(origin)
                reply.origin = origin
            case .usage(let usage):
                output += template.usage(usage)
                reply.usage = usage
            case .finished, .done: break
            }
        }
        let chunk = try Self.schema("CreateChatCompletionStreamResponse")
        for event in try pieces(output, .serverSentEvents) where !Self.exceptions.contains(name) {
            #expect(chunk.verdict(on: try Document(event).root) == .valid, "\(text(event))")
        }
        reply.choices = draft.completed()
        let whole = try Self.schema("CreateChatCompletionResponse")
        #expect(
            whole.verdict(on: try Document(reply.body()).root) == .valid, "\(text(reply.body()))")
    }

    /// As far as the stream goes without a failure.
    private func events(_ bytes: [UInt8], by provider: any Provider) throws -> [ChatEvent] {
        var reader = provider.reader(of: try question(choices: 2))
        var events: [ChatEvent] = []
        do {
            for piece in try pieces(bytes, provider.framing) { events += try reader.read(piece) }
        } catch is ProviderFailure {}
        return events
    }
}
