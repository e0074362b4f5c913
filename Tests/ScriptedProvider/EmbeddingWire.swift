import Foundation
import JSON

/// Embeddings, on OpenAI's wire or Ollama's. Each text has a vector of three numbers in spellings that nobody would
/// choose again: its length, 0.10 and -1.50e-2.
struct EmbeddingWire: Wire {
    let streamType = "application/json"
    let opening: [UInt8] = []
    private let isOllama: Bool
    private let isBase64: Bool
    private let lengths: [Int]

    init(_ root: Node?, isOllama: Bool) {
        self.isOllama = isOllama
        isBase64 = root?["encoding_format"]?.string == "base64"
        lengths = texts(root?["input"]).map(\.count)
    }

    func bytes(_ step: Step, usage: Usage) -> [UInt8] { [] }

    func body(_ answer: Answer, usage: Usage) -> [UInt8] {
        if isOllama {
            let vectors = lengths.map(vector).joined(separator: ",")
            return Array(#"{"embeddings":[\#(vectors)],"prompt_eval_count":\#(usage.prompt)}"#.utf8)
        }
        let items = lengths.enumerated().map { index, length in
            #"{"object":"embedding","event":"evil","index":\#(index),"embedding":\#(spelled(length))}"#
        }
        let counts = #"{"prompt_tokens":\#(usage.prompt),"total_tokens":\#(usage.prompt)}"#
        return Array(
            #"{"object":"list","data":[\#(items.joined(separator: ","))],"usage":\#(counts)}"#.utf8)
    }

    private func vector(_ length: Int) -> String { "[\(length).0, 0.10,-1.50e-2]" }

    private func spelled(_ length: Int) -> String {
        guard isBase64 else { return vector(length) }
        let floats = [Float(length), 0.10, -1.50e-2]
        return "\"\(floats.withUnsafeBytes { Data($0).base64EncodedString() })\""
    }
}

/// The texts of an `input` or a `prompt`; of tokens only their count is right.
func texts(_ node: Node?) -> [String] {
    guard let node else { return [] }
    if let text = node.string { return [text] }
    let elements = Array(node.elements)
    if elements.first?.kind == .number { return [repeating("x ", elements.count)] }
    return elements.map { $0.string ?? repeating("x ", $0.count) }
}
