import Foundation
import HTTP
import JSON
import OpenAI
import Providers
import Testing

private let folder = Bundle.module.bundleURL.appending(path: "Fixtures")

/// A file beside these tests.
func fixture(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: path)))
}

/// The names of the recorded streams with this ending, without it: of chats, or of `texts`.
func recordedStreams(_ ending: String, in place: String = "streams") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: place).path)
        .filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }.sorted()
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

func request(_ json: String) throws -> ChatCompletionRequest {
    try ChatCompletionRequest(Array(json.utf8))
}

let openAI = OpenAICompatible(settings: ProviderSettings(apiKey: "sk-secret"))
let ollama = Ollama(settings: ProviderSettings(contextLength: 8192))

/// A question that offers the tools of the recorded streams.
func question(choices: Int = 1, tools: String = "now get_weather f g a b c code") throws -> Question
{
    let list = tools.split(separator: " ").map { name in
        #"{"type":"function","function":{"name":"\#(name)"}}"#
    }.joined(separator: ",")
    let request = try request(
        #"{"model":"m","n":\#(choices),"messages":[{"role":"user","content":""}],"tools":[\#(list)]}"#
    )
    return Question(
        ChatCall(request, model: "m", isStream: true), completionID: "chatcmpl-XYZ")
}

func textRequest(_ members: String = #""prompt":"x""#) throws -> TextCompletionRequest {
    try TextCompletionRequest(Array(#"{"model":"m",\#(members)}"#.utf8))
}

/// A question for a text completion.
func textQuestion(_ members: String = #""prompt":"x""#) throws -> Question {
    Question(
        TextCall(try textRequest(members), model: "m", isStream: true), completionID: "cmpl-XYZ")
}

/// The pieces that a framing gives.
func pieces(_ bytes: [UInt8], _ framing: Framing) throws -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    switch framing {
    case .serverSentEvents:
        var parser = EventStreamParser()
        parser.append(bytes)
        while let event = try parser.next() { pieces.append(event.data) }
    case .lines:
        var parser = LineParser()
        parser.append(bytes)
        while let line = try parser.next() { pieces.append(line) }
    }
    return pieces
}

/// What a reader makes of a stream, one event a line, in a form to be compared with a file.
func reading(
    _ bytes: [UInt8], by provider: any Provider, choices: Int = 1,
    tools: String = "now get_weather f g a b c code"
) throws -> String {
    try reading(bytes, by: provider, to: try question(choices: choices, tools: tools))
}

/// The same for any question.
func reading(
    _ bytes: [UInt8], by provider: any Provider, to question: Question
) throws -> String {
    var reader = provider.reader(of: question)
    var lines: [String] = []
    do {
        for piece in try pieces(bytes, provider.framing) {
            lines += try reader.read(piece).map { line($0, question.form) }
        }
        lines += try reader.end().map { line($0, question.form) }
    } catch let failure as ProviderFailure {
        let error = failure.error
        lines.append(
            "failure \(error.status.rawValue) \(error.code ?? "-") retriable=\(failure.isRetriable) "
                + error.message)
    }
    return lines.joined(separator: "\n") + "\n"
}

private func line(_ event: ChatEvent, _ form: CompletionForm) -> String {
    switch event {
    case .text(let escaped): "text \(text(escaped))"
    case .choices(let deltas):
        "choices \(text(Value.array(deltas.map { $0.value(in: form) }).encoded()))"
    case .origin(let origin): "origin \(text(Value.object(origin.members).encoded()))"
    case .usage(let usage): "usage \(text(usage.value.encoded()))"
    case .finished: "finished"
    case .done: "done"
    }
}
