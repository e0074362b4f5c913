import JSON
import OpenAI

// A provider's reply is untrusted: what reaches a browser is rebuilt from the members named here.

/// The allowed members of a message or delta, without role and tool calls.
func allowedMembers(_ node: Node, _ toolNames: Set<String>) -> [Member] {
    var members: [Member] = []
    if let content = node["content"] {
        if content.kind == .string {
            members.append(Member("content", .verbatim(Array(content.bytes))))
        } else if content.kind == .array {
            members.append(Member("content", .verbatim(StringLiteral.encode(joinedText(content)))))
        }
    }
    for key in ["refusal", "reasoning_content", "reasoning"] {
        if let text = node[key], text.kind == .string {
            members.append(Member(key, .verbatim(Array(text.bytes))))
        }
    }
    for (key, keys) in [
        ("function_call", ["name", "arguments"]),
        ("audio", ["id", "data", "transcript", "expires_at"]),
    ] {
        if let object = node[key], object.kind == .object, isKnown(object, toolNames) {
            members.append(Member(key, allowed(keys, of: object)))
        }
    }
    if let images = node["images"], case let list = allowedImages(images), !list.isEmpty {
        members.append(Member("images", .array(list)))
    }
    return members
}

/// A call of the old form names its function in the first piece only.
private func isKnown(_ object: Node, _ toolNames: Set<String>) -> Bool {
    guard let name = object["name"]?.string, !name.isEmpty else { return true }
    return toolNames.contains(name)
}

/// Something that answers, other than thoughts and calls that the caller did not offer.
func isAnswer(_ member: Member) -> Bool {
    !["reasoning_content", "reasoning"].contains(member.key) && !isEmptyText(member)
}

func isEmptyText(_ member: Member) -> Bool {
    guard case .verbatim(let bytes) = member.value else { return false }
    return bytes.count == 2
}

/// Only strings and numbers are taken, so that nothing nested slips through.
private func allowed(_ keys: [String], of object: Node) -> Value {
    .object(
        keys.compactMap { key in
            guard let node = object[key], node.kind == .string || node.kind == .number else {
                return nil
            }
            return Member(key, .verbatim(Array(node.bytes)))
        })
}

/// Pictures come inside the answer: an address would make the browser call wherever it says.
private func allowedImages(_ images: Node) -> [Value] {
    images.elements.compactMap { image in
        guard let url = image["image_url"]?["url"], let text = url.string,
            text.hasPrefix("data:image/")
        else { return nil }
        return ["type": "image_url", "image_url": ["url": .verbatim(Array(url.bytes))]]
    }
}

/// Text of a content in parts, as some reasoning models send it.
private func joinedText(_ content: Node) -> String {
    content.elements.compactMap { part in
        part["type"]?.string == "text" ? part["text"]?.string : nil
    }.joined()
}

/// Logprobs as the schema has them: lists of tokens under two names.
func allowedLogprobs(_ node: Node?) -> [UInt8]? {
    guard let node, node.kind == .object else { return nil }
    var lists: [String: [UInt8]] = [:]
    for name in Logprobs.names {
        if let list = node[name], list.kind == .array { lists[name] = allowedTokens(list) }
    }
    return lists.isEmpty ? nil : Logprobs.object(lists)
}

/// The elements of a list of tokens with commas between, numbers as spelled.
func allowedTokens(_ list: Node) -> [UInt8] {
    let tokens = list.elements.compactMap { node -> [UInt8]? in
        guard var members = allowedToken(node) else { return nil }
        let others = node["top_logprobs"]?.elements.compactMap(allowedToken).map(Value.object) ?? []
        members.append(Member("top_logprobs", .array(others)))
        return Value.object(members).encoded()
    }
    return Array(tokens.joined(separator: [UInt8(ascii: ",")]))
}

/// Many providers leave out `bytes`, which the schema requires and lets be `null`.
private func allowedToken(_ node: Node) -> [Member]? {
    guard let token = node["token"], token.kind == .string, let logprob = node["logprob"],
        logprob.kind == .number
    else { return nil }
    let bytes = node["bytes"].flatMap { list in
        list.kind == .array && list.elements.allSatisfy { $0.integer != nil } ? list : nil
    }
    return [
        Member("token", .verbatim(Array(token.bytes))),
        Member("logprob", .verbatim(Array(logprob.bytes))),
        Member("bytes", bytes.map { .verbatim(Array($0.bytes)) } ?? .null),
    ]
}

/// The wire's finish reason for a provider's word; `nil` while there is none. A provider that says
/// that it gave up has not finished. Whether the caller got to see calls, or one of the old form, is for us to say.
func finishReason(
    _ node: Node?, hasCalls: Bool, callsFunction: Bool = false
) throws(ProviderFailure) -> FinishReason? {
    guard let node, !node.isNull else { return nil }
    let word = node.string?.lowercased() ?? ""
    switch word {
    case "error", "abort", "aborted", "cancelled", "canceled":
        throw .disconnected("finish_reason \(word)")
    case "length", "max_tokens", "max_length", "model_length": return .length
    case "content_filter", "safety", "recitation", "blocklist", "prohibited_content":
        return .contentFilter
    case "function_call" where callsFunction: return .functionCall
    default:
        // `stop`, `eos`, `end_turn`, `tool_calls` and whatever else is to come. Some say `stop`
        // after calls, and calls may have been left out.
        return hasCalls ? .toolCalls : .stop
    }
}
