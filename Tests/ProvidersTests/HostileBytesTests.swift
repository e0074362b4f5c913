import HTTP
import JSON
import OpenAI
import Providers
import Testing

/// A small generator with a seed, so that a failure can be repeated.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct HostileBytesTests {
    private static let spices = [
        "{", "}", "[", "]", "\"", "\\", "\\u0000", "\\ud800", "null", "-1", "1e999", "true", ",",
        ":",
        "\u{0}", "\u{FF}", "[[[[[[[[", "\"tool_calls\":", "\"index\":99999999999", "\"choices\":[]",
        "\"finish_reason\":\"stop\"", "\"error\":{}", "\n", "ü",
    ].map { Array($0.utf8) }

    private func spoiled(_ bytes: [UInt8], with dice: inout Dice) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...3, using: &dice) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &dice)
            switch Int.random(in: 0...3, using: &dice) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
            case 2:
                bytes.insert(contentsOf: Self.spices.randomElement(using: &dice) ?? [], at: place)
            default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
            }
        }
        return bytes
    }

    @Test("spoiled streams give valid chunks or a failure, never anything else")
    func streams() throws {
        let template = ChunkTemplate(id: "c", created: 1, model: "m")
        var dice = Dice(state: 2026)
        for (ending, provider) in [(".sse", openAI), (".ndjson", ollama)]
            as [(String, any Provider)]
        {
            for name in try recordedStreams(ending) {
                let events = try pieces(fixture("streams/\(name)\(ending)"), provider.framing)
                for _ in 0..<60 {
                    let hostile = events.map { spoiled($0, with: &dice) }
                    try check(hostile, provider, template)
                }
            }
        }
    }

    private func check(
        _ events: [[UInt8]], _ provider: any Provider, _ template: ChunkTemplate
    ) throws {
        var reader = provider.reader(of: try question())
        var output: [UInt8] = []
        do throws(ProviderFailure) {
            for event in events {
                for step in try reader.read(event) { output += frame(step, template) }
            }
            _ = try reader.end()
        } catch {
            #expect((400...599).contains(error.error.status.rawValue))
        }
        for line in text(output).split(separator: "\n\n") {
            #expect(line.hasPrefix("data: {"))
            let chunk = try Document(Array(line.utf8.dropFirst(6))).root
            #expect(chunk["choices"]?.kind == .array)
            #expect(chunk["event"] == nil && chunk["error"] == nil)
        }
    }

    private func frame(_ step: ChatEvent, _ template: ChunkTemplate) -> [UInt8] {
        var output: [UInt8] = []
        switch step {
        case .text(let escaped): template.text(escaped, into: &output)
        case .choices(let deltas): output = template.choices(deltas)
        case .usage(let usage): output = template.usage(usage)
        case .origin, .finished, .done: break
        }
        return output
    }

    @Test("spoiled replies and error bodies are read or refused")
    func replies() throws {
        var dice = Dice(state: 7)
        let reply = Array(
            #"""
            {"choices":[{"index":0,"message":{"content":"a","tool_calls":[{"id":"a","function":\#
            {"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"message":{"content":"x"},\#
            "usage":{"prompt_tokens":1}}
            """#
            .utf8)
        let error = Array(
            #"{"error":{"message":"m","type":"t","param":"p","code":"c"},"detail":"d"}"#.utf8)
        for _ in 0..<2000 {
            for provider in [openAI, ollama] as [any Provider] {
                if let read = try? provider.completion(
                    spoiled(reply, with: &dice), to: try question())
                {
                    let whole = ChatCompletion(
                        id: "i", created: 1, model: "m", choices: read.choices, usage: read.usage)
                    _ = try Document(whole.body())
                }
                let failure = provider.failure(
                    status: 400, fields: [:], body: spoiled(error, with: &dice))
                _ = try Document(failure.error.body())
            }
        }
    }
}
