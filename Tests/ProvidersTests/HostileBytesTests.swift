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
        for (ending, provider) in [(".sse", openAI), (".ndjson", ollama)]
            as [(String, any Provider)]
        {
            try check(recordedStreams(ending), "streams", ending, provider, question())
            try check(
                recordedStreams(ending, in: "texts"), "texts", ending, provider, textQuestion())
        }
    }

    private func check(
        _ names: [String], _ place: String, _ ending: String, _ provider: any Provider,
        _ question: Question
    ) throws {
        var dice = Dice(state: 2026)
        for name in names {
            let events = try pieces(fixture("\(place)/\(name)\(ending)"), provider.framing)
            for _ in 0..<60 {
                try check(events.map { spoiled($0, with: &dice) }, provider, question)
            }
        }
    }

    private func check(
        _ events: [[UInt8]], _ provider: any Provider, _ question: Question
    ) throws {
        let template = ChunkTemplate(id: "c", created: 1, model: "m", form: question.form)
        var reader = provider.reader(of: question)
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

    @Test("spoiled texts and embeddings are read or refused")
    func otherReplies() throws {
        var dice = Dice(state: 11)
        let texts = Array(
            #"""
            {"choices":[{"index":0,"text":"a","finish_reason":"stop","logprobs":{"tokens":["a"]}}],\#
            "response":"x","done":true,"usage":{"prompt_tokens":1}}
            """#.utf8)
        let vectors = Array(
            #"""
            {"data":[{"index":1,"embedding":[0.10,-1e-2]},{"index":0,"embedding":[1,2]}],\#
            "embeddings":[[0.5,1],[2,3]],"usage":{"prompt_tokens":1,"total_tokens":1}}
            """#.utf8)
        let calls = try ["float", "base64"].map { encoding in
            let body = #"{"model":"m","input":["a","b"],"encoding_format":"\#(encoding)"}"#
            return EmbeddingCall(try EmbeddingRequest(Array(body.utf8)), model: "m")
        }
        var usable = 0
        for _ in 0..<2000 {
            for provider in [openAI, ollama] as [any Provider] {
                if let read = try? provider.completion(
                    spoiled(texts, with: &dice), to: textQuestion())
                {
                    let usage = Usage(promptTokens: 0, completionTokens: 0, source: .estimated)
                    let whole = TextCompletion(
                        id: "i", created: 1, model: "m", choices: read.choices, usage: usage)
                    _ = try Document(whole.body())
                }
                for call in calls {
                    guard
                        let read = try? provider.embeddings(
                            spoiled(vectors, with: &dice), to: call)
                    else { continue }
                    usable += 1
                    let usage = Usage(promptTokens: 0, completionTokens: 0, source: .estimated)
                    let list = EmbeddingList(read.embeddings, model: "m", usage: usage)
                    let data = try Document(list.body()).root["data"]
                    #expect(data?.count == 2)
                    #expect(data?.elements.allSatisfy { $0.count == 3 } == true)
                }
            }
        }
        #expect(usable > 100)
    }
}
