import JSON
import OpenAI

/// Puts a provider's pieces of tool calls into the form that every client understands: `index`
/// always, `id`, `type` and `name` once and first, arguments after, ids unique, never no arguments.
struct ToolCallTracker {
    private struct Call {
        var id: String
        var name = ""
        var isCustom = false
        var isOpen = false
        /// Arguments that came before the name.
        var held: [UInt8] = []
        var hasArguments = false
    }

    private let idStem: String
    private var calls: [Call] = []
    private var positions: [Int: Int] = [:]

    init(completionID: String, choice: Int) {
        let stem = completionID.split(separator: "-").last.map(String.init) ?? completionID
        idStem = choice == 0 ? "call_\(stem)" : "call_\(stem)_\(choice)"
    }

    var isEmpty: Bool { calls.isEmpty }

    /// The pieces of one delta.
    mutating func pieces(_ list: Node) -> [ToolCallDelta] {
        list.elements.compactMap { node in
            guard let position = position(of: node) else { return nil }
            return piece(node, position)
        }
    }

    /// The calls of a stream that sends each of them whole, and all of them maybe under index 0.
    mutating func wholePieces(_ list: Node) -> [ToolCallDelta] {
        list.elements.compactMap { node in newCall().flatMap { piece(node, $0) } }
    }

    /// Takes in whole calls; for a message that is not streamed.
    mutating func gather(_ list: Node) {
        for node in list.elements { take(node, at: newCall()) }
    }

    /// What is missing when the choice ends.
    mutating func close() throws(ProviderFailure) -> [ToolCallDelta] {
        guard calls.allSatisfy(\.isOpen) else { throw .badResponse("a tool call without a name") }
        var pieces: [ToolCallDelta] = []
        for position in calls.indices where !calls[position].hasArguments {
            calls[position].hasArguments = true
            guard !calls[position].isCustom else { continue }
            pieces.append(ToolCallDelta(index: position, arguments: Array("{}".utf8)))
        }
        return pieces
    }

    /// The calls taken in, whole.
    func whole() throws(ProviderFailure) -> [ToolCall] {
        guard calls.allSatisfy({ !$0.name.isEmpty }) else {
            throw .badResponse("a tool call without a name")
        }
        return calls.enumerated().map { position, call in
            let arguments = StringLiteral.decode(content: call.held) ?? ""
            return ToolCall(
                id: uniqueID(call, position), name: call.name,
                arguments: arguments.isEmpty && !call.isCustom ? "{}" : arguments,
                isCustom: call.isCustom)
        }
    }

    // MARK: - Which call

    /// The call that a piece belongs to. Some providers give no index, some give 0 to all and
    /// tell calls apart by their ids.
    private mutating func position(of node: Node) -> Int? {
        let id = node["id"]?.string ?? ""
        guard let index = node["index"]?.integer else {
            let startsAnother = !id.isEmpty && calls.last?.id != id
            return calls.isEmpty || startsAnother ? newCall() : calls.count - 1
        }
        if let known = positions[index] {
            let knownID = calls[known].id
            let isSame = id.isEmpty || knownID.isEmpty || knownID == id
            if isSame || name(of: node).isEmpty { return known }
        }
        let position = newCall()
        positions[index] = position
        return position
    }

    private mutating func newCall() -> Int? {
        guard calls.count < 512 else { return nil }
        calls.append(Call(id: ""))
        return calls.count - 1
    }

    private func name(of node: Node) -> String {
        (node["custom"] ?? node["function"])?["name"]?.string ?? ""
    }

    // MARK: - What it says

    private mutating func take(_ node: Node, at position: Int?) {
        guard let position, calls.indices.contains(position) else { return }
        let custom = node["custom"]
        let function = custom ?? node["function"]
        if calls[position].id.isEmpty { calls[position].id = node["id"]?.string ?? "" }
        if calls[position].name.isEmpty { calls[position].name = name(of: node) }
        if custom != nil { calls[position].isCustom = true }
        calls[position].held += arguments(function?[custom == nil ? "arguments" : "input"])
    }

    private mutating func piece(_ node: Node, _ position: Int) -> ToolCallDelta? {
        take(node, at: position)
        guard !calls[position].name.isEmpty else { return nil }
        let call = calls[position]
        calls[position].held = []
        calls[position].isOpen = true
        if !call.held.isEmpty { calls[position].hasArguments = true }
        if call.isOpen {
            guard !call.held.isEmpty else { return nil }
            return ToolCallDelta(index: position, arguments: call.held, isCustom: call.isCustom)
        }
        return ToolCallDelta(
            index: position, id: uniqueID(call, position), name: call.name, arguments: call.held,
            isCustom: call.isCustom)
    }

    /// The provider's id, unless there is none or an earlier call has the same.
    private func uniqueID(_ call: Call, _ position: Int) -> String {
        let isTaken = calls.prefix(position).contains { $0.id == call.id }
        return call.id.isEmpty || isTaken ? "\(idStem)_\(position)" : call.id
    }

    /// The inside of a string literal. Some providers send an object where a string belongs.
    private func arguments(_ node: Node?) -> ArraySlice<UInt8> {
        guard let node, !node.isNull else { return [] }
        if node.kind == .string { return node.bytes.dropFirst().dropLast() }
        let text = String(decoding: node.bytes, as: UTF8.self)
        return StringLiteral.encode(text).dropFirst().dropLast()
    }
}
