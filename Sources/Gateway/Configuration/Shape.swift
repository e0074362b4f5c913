import YAML

/// Which keys may stand where, grown from the table of keys.
struct Shape {
    private var children: [String: Shape] = [:]
    /// In the table's order, for suggestions.
    private var names: [String] = []
    private var isList = false

    init(_ keys: [ConfigurationKey]) {
        for key in keys { add(key.path.split(separator: ".")[...]) }
    }

    private mutating func add(_ path: ArraySlice<Substring>) {
        guard let component = path.first else { return }
        let isList = component.hasSuffix("[]")
        let name = String(isList ? component.dropLast(2) : component)
        if children[name] == nil { names.append(name) }
        var child = children[name] ?? Shape([])
        child.isList = isList
        child.add(path.dropFirst())
        children[name] = child
    }

    /// Tells every key that is not in the table, and every value that is not of the table's form.
    func check(_ node: Node, at path: String, _ fail: (Node, String) -> Void) {
        guard !children.isEmpty, !node.isNull else { return }
        guard isList else { return checkMapping(node, at: path, fail) }
        guard case .sequence(let elements) = node.content else {
            return fail(node, "\(path) must be a list")
        }
        for (index, element) in elements.enumerated() {
            checkMapping(element, at: "\(path)[\(index)]", fail)
        }
    }

    private func checkMapping(_ node: Node, at path: String, _ fail: (Node, String) -> Void) {
        guard case .mapping(let members) = node.content else {
            return fail(
                node, "\(path.isEmpty ? "the file" : path) must be a mapping of keys to values")
        }
        for (key, value) in members {
            let name = key.text ?? ""
            let inner = path.isEmpty ? name : "\(path).\(name)"
            if let child = children[name] ?? children["<name>"] {
                child.check(value, at: inner, fail)
            } else {
                fail(key, "unknown key \"\(inner)\"\(Suggestion.text(for: name, among: names))")
            }
        }
    }
}
