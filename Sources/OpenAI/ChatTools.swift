import JSON

// Tools are checked and forwarded byte for byte: a schema's `$ref` and `$defs` mean something.

func checkTools(_ tools: RequestField) throws(APIError) {
    for tool in try tools.elements() {
        try tool.requireObject()
        switch try tool.required("type").word("function", "custom") {
        case "function":
            let function = try tool.required("function")
            try checkFunction(function)
            _ = try function["strict"]?.boolean()
        default:
            let custom = try tool.required("custom")
            try custom.requireObject()
            try custom.required("name").requireString()
        }
    }
}

func checkFunctions(_ functions: RequestField) throws(APIError) {
    for function in try functions.elements(atLeast: 1, atMost: 128) { try checkFunction(function) }
}

private func checkFunction(_ function: RequestField) throws(APIError) {
    try function.requireObject()
    let name = try function.required("name")
    guard isFunctionName(try name.string()) else {
        throw .invalidValue(name.path, "it must be 1 to 64 of the characters a-z A-Z 0-9 _ -")
    }
    try function["description"]?.requireString()
    try function["parameters"]?.requireObject()
}

private func isFunctionName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
        && name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
}

func checkFunctionCall(_ call: RequestField) throws(APIError) {
    if call.node.kind == .string { return _ = try call.word("none", "auto") }
    guard call.node.kind == .object else {
        throw .invalidType(call.path, "'none', 'auto' or an object")
    }
    try call.required("name").requireString()
}

/// `tool_choice`, which needs the tools of the same request to be judged.
func checkToolChoice(of root: RequestField) throws(APIError) {
    guard let choice = root["tool_choice"] else { return }
    let tools = ToolNames(root.node["tools"])
    if choice.node.kind == .string {
        let word = try choice.word("none", "auto", "required")
        guard word != "required" || !tools.isEmpty else { throw withoutTools }
        return
    }
    guard choice.node.kind == .object else {
        throw .invalidType(choice.path, "'none', 'auto', 'required' or an object")
    }
    let kind = try choice.required("type").word("function", "custom", "allowed_tools")
    guard !tools.isEmpty else { throw withoutTools }
    if kind == "allowed_tools" {
        try checkAllowedTools(choice.required("allowed_tools"), tools: tools)
    } else {
        try checkNamedTool(choice, kind: kind, tools: tools)
    }
}

private let withoutTools = APIError.invalidValue(
    "tool_choice", "it needs 'tools'; send them or leave it out")

/// The names that a request declares. Collected once: a choice may name as many tools as there are.
private struct ToolNames {
    private var names: [String: Set<String>] = [:]
    var isEmpty: Bool { names.isEmpty }

    init(_ tools: Node?) {
        for tool in tools.map({ Array($0.elements) }) ?? [] {
            guard let kind = tool["type"]?.string, let name = tool[kind]?["name"]?.string else {
                continue
            }
            names[kind, default: []].insert(name)
        }
    }

    func contains(_ name: String, _ kind: String) -> Bool { names[kind]?.contains(name) == true }
}

private func checkAllowedTools(_ allowed: RequestField, tools: ToolNames) throws(APIError) {
    try allowed.requireObject()
    _ = try allowed.required("mode").word("auto", "required")
    for tool in try allowed.required("tools").elements() {
        try tool.requireObject()
        try checkNamedTool(
            tool, kind: tool.required("type").word("function", "custom"), tools: tools)
    }
}

private func checkNamedTool(
    _ choice: RequestField, kind: String, tools: ToolNames
) throws(APIError) {
    let named = try choice.required(kind)
    try named.requireObject()
    let name = try named.required("name")
    guard tools.contains(try name.string(), kind) else {
        throw .invalidValue(name.path, "no tool of that name is in 'tools'")
    }
}
