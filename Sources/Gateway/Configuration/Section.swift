import YAML

/// What is gathered while a configuration is read.
final class ConfigurationSource {
    private let references: References
    private(set) var problems: [ConfigurationError.Problem] = []
    /// Every value that holds, given or by default: its key in the table, its own path, its text.
    private(set) var effective: [(key: String, path: String, text: String)] = []

    init(_ references: References) { self.references = references }

    func fail(_ node: Node?, _ message: String) {
        problems.append(.init(line: node?.line ?? 0, column: node?.column ?? 0, message: message))
    }

    func note(key: String, path: String, text: String) { effective.append((key, path, text)) }

    /// The node with all references replaced; nil, with a problem noted, where that cannot be.
    func expand(_ node: Node) -> Node? {
        switch node.content {
        case .mapping(let members):
            let expanded = members.compactMap { key, value in expand(value).map { (key, $0) } }
            guard expanded.count == members.count else { return nil }
            return Node(.mapping(expanded), line: node.line, column: node.column)
        case .sequence(let elements):
            let expanded = elements.compactMap(expand)
            guard expanded.count == elements.count else { return nil }
            return Node(.sequence(expanded), line: node.line, column: node.column)
        case .scalar(let text, _):
            guard text.contains("${") else { return node }
            do throws(References.Failure) {
                let content = try Node.Content.scalar(references.expand(text), quoted: false)
                return Node(content, line: node.line, column: node.column)
            } catch {
                fail(node, error.message)
                return nil
            }
        }
    }
}

/// A mapping of the configuration that is being read; absent, all its values are defaults.
struct Section {
    let source: ConfigurationSource
    /// The mapping; nil if the file has none here.
    let node: Node?
    /// The path in the table, such as `models[].retrieval`; empty for the whole file.
    private let key: String
    /// The path in the file, such as `models[0].retrieval`.
    let path: String

    init(_ source: ConfigurationSource, _ node: Node?, key: String = "", path: String = "") {
        self.source = source
        self.node = node
        self.key = key
        self.path = path
    }

    /// Reads a value if it is there, and notes what then holds.
    func read<Value>(_ name: String, into value: inout Value, as reading: Reading<Value>) {
        defer { note(name, reading.show(value)) }
        guard let given = self[name], let expanded = source.expand(given) else { return }
        guard let read = reading.read(expanded) else {
            return source.fail(given, "\(join(path, name)) must be \(reading.expected)")
        }
        value = read
    }

    /// The value of a key; nil if absent or `null`.
    subscript(_ name: String) -> Node? {
        node?[name].flatMap { $0.isNull ? nil : $0 }
    }

    /// Notes a problem at a key, or at the mapping if the key is not there.
    func fail(_ name: String, _ message: String) {
        source.fail(self[name] ?? node, "\(join(path, name)) \(message)")
    }

    /// Notes a problem for each of these keys that is absent.
    func require(_ names: String...) {
        for name in names where self[name] == nil { fail(name, "is missing") }
    }

    /// Notes a problem for each of these keys that is there.
    func refuse(_ names: String..., because reason: String) {
        for name in names where self[name] != nil { fail(name, reason) }
    }

    /// The mapping at a key.
    func section(_ name: String) -> Section {
        Section(source, self[name], key: join(key, name), path: join(path, name))
    }

    /// The mappings in the list at a key.
    func sections(_ name: String) -> [Section] {
        guard case .sequence(let elements) = self[name]?.content else { return [] }
        return elements.enumerated().map { index, element in
            let path = join(path, "\(name)[\(index)]")
            return Section(source, element, key: join(key, name) + "[]", path: path)
        }
    }

    /// The mappings at a key whose own keys are names.
    func named(_ name: String) -> [(name: String, section: Section)] {
        guard case .mapping(let members) = self[name]?.content else { return [] }
        return members.map { key, value in
            let named = key.text ?? ""
            if !named.isPlainName {
                source.fail(key, "a name under \(name) has \(String.plainName)")
            }
            let path = join(join(self.path, name), named)
            return (
                named, Section(source, value, key: join(self.key, name) + ".<name>", path: path)
            )
        }
    }

    private func note(_ name: String, _ text: String) {
        source.note(key: join(key, name), path: join(path, name), text: text)
    }

    private func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }
}
