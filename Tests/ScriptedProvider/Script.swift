import EventLoop
import JSON

/// What the provider does for one request, step by step. The wire (OpenAI's or Ollama's, streamed
/// or not) decides how a step looks.
package enum Step: Sendable {
    /// A piece of the answer's text.
    case text(String)
    /// `count` pieces of text, the first at once and each one `every` milliseconds later.
    case texts(count: Int, every: Int, make: @LoopActor @Sendable (Int) -> String)
    /// A piece of reasoning.
    case reasoning(String)
    /// A piece of a refusal.
    case refusal(String)
    /// A piece of a tool call; `id` and `name` come with its first piece.
    case tool(index: Int, id: String?, name: String?, arguments: String)
    /// A JSON object that is merged into the text chunk of its own (streams) or the reply (unary).
    case members(String)
    /// The finish reason.
    case finish(String)
    /// The usage, asked for or not.
    case usage
    /// `[DONE]`, or Ollama's last line.
    case done
    /// Bytes as they are; a body of their own if the request is unary.
    case raw([UInt8])
    /// The same, each byte in a chunk of its own.
    case drip([UInt8])
    /// Bytes on the connection, head and framing included.
    case wire([UInt8])
    /// The same again and again, until the client leaves.
    case flood([UInt8])
    /// Milliseconds of silence.
    case pause(Int)
    /// Nothing more, until the client leaves.
    case hang
    /// The connection closes, the body being unfinished.
    case cut
    /// The connection is reset.
    case reset
    /// A whole reply of its own, instead of a head and a body.
    case reply(status: Int, fields: [(String, String)], body: String)
    /// The body ends properly and the connection stays.
    case end
}

extension Step {
    /// Text that must stand in the script as bytes.
    static func raw(_ text: String) -> Step { .raw(Array(text.utf8)) }

    static func wire(_ text: String) -> Step { .wire(Array(text.utf8)) }

    static func flood(_ text: String) -> Step { .flood(Array(text.utf8)) }
}

/// What a behaviour is told of the request.
package struct Prompt: Sendable {
    /// The numbers at the end of the model's name (`paced-50-20`: 50 and 20).
    package var numbers: [Int]
    /// The model's whole name.
    package var model: String
    /// The text of the last user message.
    package var question: String
    /// The request's body.
    package var body: [UInt8]
    /// How many requests for this model came before.
    package var earlier: Int

    /// The conversation's first question lists answers, with `|` between: the next of them, by how many were given.
    var draft: String {
        let messages = Array((try? Document(body))?.root["messages"]?.elements.map { $0 } ?? [])
        let first = messages.first { $0["role"]?.string == "user" }?["content"]?.string ?? ""
        let given = messages.filter { $0["role"]?.string == "assistant" }.count
        let drafts = first.split(separator: "|", omittingEmptySubsequences: false)
        return drafts.indices.contains(given) ? String(drafts[given]) : "no draft \(given)"
    }

    /// The number at `index`, or `otherwise`.
    func number(_ index: Int, or otherwise: Int) -> Int {
        numbers.indices.contains(index) ? numbers[index] : otherwise
    }
}
