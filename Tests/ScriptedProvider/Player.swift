import EventLoop
import HTTP
import JSON

/// Plays the script of one request: turns steps into bytes and tells when to wait.
@LoopActor final class Player {
    enum Outcome { case more, wait(Int), forever, end, cut, reset }

    let recordID: Int
    private(set) var pieces = 0
    /// What the client was told of token counts.
    private(set) var counted: Recorded.Counted?
    private let wire: any Wire
    private let isStream: Bool
    private var usage: Usage
    private var answer = Answer()
    private var steps: ArraySlice<Step>
    private var series: (index: Int, started: Int64)?
    private var hasHead = false
    private var hasWaited = false

    init(_ request: Request, _ root: Node?, earlier: Int, recordID: Int) {
        self.recordID = recordID
        let model = root?["model"]?.string ?? ""
        wire = Self.wire(request.path, root, model)
        isStream = root?["stream"]?.boolean ?? (wire is OllamaWire)
        let read = texts(root?["prompt"] ?? root?["input"])
        let messages = Array(root?["messages"]?.elements.map { Self.text($0) } ?? []) + read
        usage = Usage(
            prompt: messages.reduce(0) { $0 + $1.split(separator: " ").count }, completion: 0,
            isWanted: root?["stream_options"]?["include_usage"]?.boolean ?? false)
        steps = []
        guard request.method == .post else {
            steps = [Self.list(request.path)]
            return
        }
        let isUser: (Node) -> Bool = { $0["role"]?.string == "user" }
        let said = root?["messages"]?.elements.filter(isUser).last.map(Self.text)
        let question = said ?? read.last ?? ""
        let numbers = model.split(separator: "-").compactMap { Int($0) }
        let prompt = Prompt(
            numbers: numbers, model: model, question: question, body: request.body,
            earlier: earlier)
        steps = (script(for: prompt) ?? Self.unknown(model))[...]
    }

    private static func wire(_ path: String, _ root: Node?, _ model: String) -> any Wire {
        switch path {
        case "/api/chat": OllamaWire(model: model, isChat: true)
        case "/api/generate": OllamaWire(model: model, isChat: false)
        case "/api/embed": EmbeddingWire(root, isOllama: true)
        case "/v1/embeddings": EmbeddingWire(root, isOllama: false)
        case "/v1/completions": TextWire(root, model: model)
        default: OpenAIWire(model: model)
        }
    }

    /// The text of a message, its parts joined.
    nonisolated static func text(_ message: Node) -> String {
        if let text = message["content"]?.string { return text }
        return message["content"]?.elements.compactMap { $0["text"]?.string }.joined() ?? ""
    }

    private static func unknown(_ model: String) -> [Step] {
        let error = #"{"error":{"message":"no model \#(model.filter { $0 != "\"" })"}}"#
        return [.reply(status: 404, fields: [], body: error)]
    }

    private static func list(_ path: String) -> Step {
        switch path {
        case "/v1/models":
            let models = behaviours.map { #"{"id":"\#($0.name)","object":"model"}"# }
            let body = #"{"object":"list","data":[\#(models.joined(separator: ","))]}"#
            return .reply(status: 200, fields: [], body: body)
        case "/api/tags":
            let models = behaviours.map { #"{"name":"\#($0.name)","model":"\#($0.name)"}"# }
            let body = #"{"models":[\#(models.joined(separator: ","))]}"#
            return .reply(status: 200, fields: [], body: body)
        default:
            return .reply(status: 404, fields: [], body: #"{"error":{"message":"no such path"}}"#)
        }
    }

    /// Plays one step, or one piece of a series.
    func next(into output: inout [UInt8]) -> Outcome {
        guard let step = steps.first else { return .end }
        if case .texts(let count, let every, let make) = step {
            return nextText(count, every, make, into: &output)
        }
        if case .pause(let milliseconds) = step, !hasWaited {
            hasWaited = true
            return .wait(milliseconds)
        }
        hasWaited = false
        if case .flood(let bytes) = step {
            output += bytes
            return .more
        }
        steps.removeFirst()
        if case .wire(let bytes) = step {
            output += bytes
            return .more
        }
        return isStream ? stream(step, into: &output) : collect(step, into: &output)
    }

    private func nextText(
        _ count: Int, _ every: Int, _ make: @LoopActor (Int) -> String, into output: inout [UInt8]
    ) -> Outcome {
        let (index, started) = series ?? (0, Loop.now)
        guard index < count else {
            series = nil
            steps.removeFirst()
            return .more
        }
        let due = started + Int64(every * index)
        if every > 0, due > Loop.now {
            series = (index, started)
            return .wait(Int(due - Loop.now))
        }
        series = (index + 1, started)
        let step = Step.text(make(index))
        return isStream ? stream(step, into: &output) : collect(step, into: &output)
    }

    private func stream(_ step: Step, into output: inout [UInt8]) -> Outcome {
        switch step {
        case .reply(let status, let fields, let body):
            output += Self.reply(status: status, fields: fields, body: Array(body.utf8))
            return .end
        case .hang: return .forever
        case .cut: return .cut
        case .reset: return .reset
        case .pause: return .more
        default: break
        }
        if !hasHead {
            hasHead = true
            output += "HTTP/1.1 200 OK\r\nContent-Type: \(wire.streamType)\r\n".utf8
            output += "Transfer-Encoding: chunked\r\n\r\n".utf8
        }
        return body(step, into: &output)
    }

    private func body(_ step: Step, into output: inout [UInt8]) -> Outcome {
        switch step {
        case .end:
            output += "0\r\n\r\n".utf8
            return .end
        case .raw(let bytes): Self.chunk(bytes, into: &output)
        case .drip(let bytes): for byte in bytes { Self.chunk([byte], into: &output) }
        default:
            if isText(step) {
                if usage.completion == 0 { Self.chunk(wire.opening, into: &output) }
                usage.completion += 1
            }
            Self.chunk(wire.bytes(step, usage: usage), into: &output)
            if tellsUsage(step) { count() }
        }
        pieces += 1
        return .more
    }

    private func count() {
        counted = .init(prompt: usage.prompt, completion: usage.completion)
    }

    private func tellsUsage(_ step: Step) -> Bool {
        switch step {
        case .usage: !(wire is OllamaWire)
        case .finish: usage.isWanted || wire is OllamaWire
        default: false
        }
    }

    private func isText(_ step: Step) -> Bool {
        switch step {
        case .text, .reasoning, .refusal, .tool: true
        default: false
        }
    }

    private static func chunk(_ bytes: [UInt8], into output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        output += String(bytes.count, radix: 16).utf8
        output += [13, 10]
        output += bytes
        output += [13, 10]
    }

    private func collect(_ step: Step, into output: inout [UInt8]) -> Outcome {
        if isText(step) { usage.completion += 1 }
        pieces += 1
        switch step {
        case .reply(let status, let fields, let body):
            output += Self.reply(status: status, fields: fields, body: Array(body.utf8))
            return .end
        case .hang: return .forever
        case .reset: return .reset
        case .cut:
            let whole = Self.reply(status: 200, body: wire.body(answer, usage: usage))
            if answer.finish != nil || pieces > 1 { output += whole.dropLast(20) }
            return .cut
        case .raw(let bytes) where pieces == 1:
            output += Self.reply(status: 200, body: bytes)
            return .end
        case .end:
            output += Self.reply(status: 200, body: wire.body(answer, usage: usage))
            count()
            return .end
        default:
            add(step)
            return .more
        }
    }

    private func add(_ step: Step) {
        switch step {
        case .text(let text): answer.text += text
        case .reasoning(let text): answer.reasoning += text
        case .refusal(let text): answer.refusal = (answer.refusal ?? "") + text
        case .members(let members): answer.members.append(members)
        case .finish(let reason): answer.finish = reason
        case .tool(let index, let id, let name, let arguments):
            if let id, let name {
                answer.toolCalls.append(.init(id: id, name: name, arguments: ""))
            }
            if answer.toolCalls.indices.contains(index) {
                answer.toolCalls[index].arguments += arguments
            }
        default: break
        }
    }

    /// A whole reply.
    nonisolated static func reply(
        status: Int, fields: [(String, String)] = [], body: [UInt8]
    ) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Status(rawValue: status).reason)\r\n"
        if !fields.contains(where: { $0.0 == "Content-Type" }) {
            head += "Content-Type: application/json\r\n"
        }
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        return Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body
    }
}
