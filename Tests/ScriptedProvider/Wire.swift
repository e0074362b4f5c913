import JSON

/// What a unary reply says in the end.
struct Answer {
    struct ToolCall {
        var id: String
        var name: String
        var arguments: String
    }

    var text = ""
    var reasoning = ""
    var refusal: String?
    var toolCalls: [ToolCall] = []
    var members: [String] = []
    var finish: String?
}

/// How steps look to one kind of client.
protocol Wire {
    /// The content type of a streamed body.
    var streamType: String { get }
    /// What comes before the first piece of the answer.
    var opening: [UInt8] { get }
    /// The bytes of a step in a stream; nothing for steps that have none.
    func bytes(_ step: Step, usage: Usage) -> [UInt8]
    /// The body of a unary reply.
    func body(_ answer: Answer, usage: Usage) -> [UInt8]
}

/// Token counts; one piece counts as one token.
struct Usage {
    var prompt: Int
    var completion: Int
    /// Whether the request asked for usage in the stream.
    var isWanted: Bool
}

/// `text` as a JSON string.
func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    return isPlain
        ? "\"\(text)\"" : String(decoding: StringLiteral.encode(text), as: UTF8.self)
}
