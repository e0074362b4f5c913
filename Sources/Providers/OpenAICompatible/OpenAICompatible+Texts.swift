import HTTP
import JSON
package import OpenAI

extension OpenAICompatible {
    /// The request for a text completion.
    package func text(_ call: TextCall) throws(APIError) -> ProviderRequest {
        let root = call.request.document.root
        return ProviderRequest(
            method: .post, path: "/completions", fields: fields(isStream: call.isStream),
            body: root.editing(
                streamEdits(of: root, model: call.model, isStream: call.isStream)
                    + call.adjustments.edits(forOther: root)))
    }
}

/// A choice of a text completion as a step: its text as `content`, no other member.
func textStep(_ node: Node, _ index: Int) throws(ProviderFailure) -> ChoiceDelta {
    var step = ChoiceDelta(index: index, logprobs: allowedTextLogprobs(node["logprobs"]))
    if let text = node["text"], !text.isNull {
        guard text.kind == .string else { throw .badResponse("a text that is no string") }
        step.delta = [Member("content", .verbatim(Array(text.bytes)))]
    }
    let reason = try finishReason(node["finish_reason"], hasCalls: false)
    // Nothing is called on this wire.
    step.finishReason = reason == .functionCall ? .stop : reason
    // A server that sends chunks of a chat here says nothing that would be heard.
    guard !step.delta.isEmpty || reason != nil else {
        throw .badResponse("a choice without a text")
    }
    return step
}

/// Logprobs of this wire: lists that run in parallel, kept as spelled.
private func allowedTextLogprobs(_ node: Node?) -> [UInt8]? {
    guard let node, node.kind == .object else { return nil }
    let lists = ["tokens", "token_logprobs", "top_logprobs", "text_offset"].compactMap { key in
        node[key].flatMap { list in
            list.kind == .array ? Member(key, .verbatim(Array(list.bytes))) : nil
        }
    }
    return lists.isEmpty ? nil : Value.object(lists).encoded()
}
