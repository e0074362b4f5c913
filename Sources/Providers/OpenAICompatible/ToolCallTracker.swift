import JSON
import OpenAI

/// Puts a provider's pieces of tool calls into the form that every client understands: `index`
/// always, `id`, `type` and `name` once and first, arguments after, ids unique, never no arguments.
/// Calls of tools that the request does not know are left out.
struct ToolCallTracker {
    private struct Call {
        var id: String
        var name = ""
        var isCustom = false
        /// The index that the client sees; `nil` until the name is known to be allowed.
        var number: Int?
        /// Arguments that came before the name.
        var held: [UInt8] = []
        var hasArguments = false
    }

    private let completionID: String
    private let choice: Int
    private let toolNames: Set<String>
    private var calls: [Call] = []
    private var positions: [Int: Int] = [:]
    private var openCount = 0

    init(_ question: Question, choice: Int) {
        completionID = question.completionID
        self.choice = choice
        toolNames = question.toolNames
    }

    /// What our own ids of calls begin with.
    private var idStem: String {
        let stem = completionID.split(separator: "-").last.map(String.init) ?? completionID
        return choice == 0 ? "call_\(stem)" : "call_\(stem)_\(choice)"
    }

    /// No call that the client gets to see.
    var isEmpty: Bool { openCount == 0 }

    /// There were calls, and the client gets to see none of them.
    var areLeftOut: Bool { openCount == 0 && calls.contains { !$0.name.isEmpty } }

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

    /// The calls of a message that is not streamed.
    mutating func whole(_ list: Node?) throws(ProviderFailure) -> [ToolCall] {
        guard let list else { return [] }
        var calls: [ToolCall] = []
        for piece in wholePieces(list) {
            let arguments = StringLiteral.decode(content: piece.arguments) ?? ""
            calls.append(
                ToolCall(
                    id: piece.id ?? "", name: piece.name ?? "",
                    arguments: arguments.isEmpty && !piece.isCustom ? "{}" : arguments,
                    isCustom: piece.isCustom))
        }
        _ = try close()
        return calls
    }

    /// What is missing when the choice ends.
    mutating func close() throws(ProviderFailure) -> [ToolCallDelta] {
        guard calls.allSatisfy({ !$0.name.isEmpty }) else {
            throw .badResponse("a tool call without a name")
        }
        var pieces: [ToolCallDelta] = []
        for position in calls.indices where !calls[position].hasArguments {
            calls[position].hasArguments = true
            guard let number = calls[position].number, !calls[position].isCustom else { continue }
            pieces.append(ToolCallDelta(index: number, arguments: Array("{}".utf8)))
        }
        return pieces
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

    private mutating func piece(_ node: Node, _ position: Int) -> ToolCallDelta? {
        var call = calls[position]
        defer { calls[position] = call }
        let custom = node["custom"]
        let function = custom ?? node["function"]
        if call.id.isEmpty { call.id = node["id"]?.string ?? "" }
        if call.name.isEmpty { call.name = name(of: node) }
        if custom != nil { call.isCustom = true }
        let more = arguments(function?[custom == nil ? "arguments" : "input"])
        if !more.isEmpty { call.hasArguments = true }
        if let number = call.number {
            guard !more.isEmpty else { return nil }
            return ToolCallDelta(index: number, arguments: Array(more), isCustom: call.isCustom)
        }
        guard call.name.isEmpty || toolNames.contains(call.name) else { return nil }
        call.held += more
        guard !call.name.isEmpty else { return nil }
        return open(&call, position)
    }

    private mutating func open(_ call: inout Call, _ position: Int) -> ToolCallDelta {
        let number = openCount
        openCount += 1
        call.number = number
        let isTaken = calls.prefix(position).contains { $0.number != nil && $0.id == call.id }
        let id = call.id.isEmpty || isTaken ? "\(idStem)_\(number)" : call.id
        defer { call.held = [] }
        return ToolCallDelta(
            index: number, id: id, name: call.name, arguments: call.held, isCustom: call.isCustom)
    }

    /// The inside of a string literal. Some providers send an object where a string belongs.
    private func arguments(_ node: Node?) -> ArraySlice<UInt8> {
        guard let node, !node.isNull else { return [] }
        if node.kind == .string { return node.bytes.dropFirst().dropLast() }
        let text = String(decoding: node.bytes, as: UTF8.self)
        return StringLiteral.encode(text).dropFirst().dropLast()
    }
}
