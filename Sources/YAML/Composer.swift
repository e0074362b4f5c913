/// The largest text that is read, in bytes.
private let largestText = 1 << 20

/// Parses one YAML document of at most 1 MiB and 32 levels.
///
/// Aliases, anchors, tags, further documents and equal keys are refused: a configuration needs none of
/// them, and each has surprised someone.
package func parse(_ text: String) throws(YAMLError) -> Node {
    guard text.utf8.count <= largestText else {
        throw YAMLError(line: 1, column: 1, reason: "larger than 1 MiB")
    }
    let result: Result<Node, YAMLError> = unsafe Array(text.utf8).withUnsafeBufferPointer { bytes in
        let reader = unsafe EventReader(bytes)
        return Result { () throws(YAMLError) in
            var composer = Composer()
            return try composer.compose(reader)
        }
    }
    return try result.get()
}

/// Puts events together to nodes, with an explicit stack.
private struct Composer {
    private static let greatestDepth = 32

    private struct Container {
        var isMapping: Bool
        var line: Int
        var column: Int
        var key: Node?
        var elements: [Node] = []
        var members: [(key: Node, value: Node)] = []
        var keys: Set<String> = []
    }

    private var open: [Container] = []
    private var root: Node?

    mutating func compose(_ reader: EventReader) throws(YAMLError) -> Node {
        while true {
            let event = try reader.next()
            try refuse(event)
            switch event.kind {
            case .streamEnd:
                guard let root else { throw fault(event, "the document is empty") }
                return root
            case .sequence, .mapping: try begin(event)
            case .end: try end()
            case .scalar(let text, let quoted):
                let content = Node.Content.scalar(text, quoted: quoted)
                try add(Node(content, line: event.line, column: event.column))
            case .documentStart, .alias, .other: break
            }
        }
    }

    private func refuse(_ event: EventReader.Event) throws(YAMLError) {
        if case .documentStart = event.kind, root != nil {
            throw fault(event, "a second document is not allowed")
        }
        if case .alias = event.kind { throw fault(event, "aliases are not allowed") }
        if event.hasAnchor { throw fault(event, "anchors are not allowed") }
        if event.hasTag { throw fault(event, "tags are not allowed") }
    }

    private mutating func begin(_ event: EventReader.Event) throws(YAMLError) {
        guard open.count < Self.greatestDepth else {
            throw fault(event, "nested deeper than \(Self.greatestDepth)")
        }
        if let parent = open.last, parent.isMapping, parent.key == nil {
            throw fault(event, "a key must be a scalar")
        }
        var isMapping = false
        if case .mapping = event.kind { isMapping = true }
        open.append(Container(isMapping: isMapping, line: event.line, column: event.column))
    }

    private mutating func end() throws(YAMLError) {
        guard let container = open.popLast() else { return }
        let content: Node.Content =
            container.isMapping ? .mapping(container.members) : .sequence(container.elements)
        try add(Node(content, line: container.line, column: container.column))
    }

    private mutating func add(_ node: Node) throws(YAMLError) {
        guard var container = open.popLast() else {
            root = node
            return
        }
        if !container.isMapping {
            container.elements.append(node)
        } else if let key = container.key {
            container.members.append((key, node))
            container.key = nil
        } else {
            guard container.keys.insert(node.text ?? "").inserted else {
                throw YAMLError(line: node.line, column: node.column, reason: "duplicate key")
            }
            container.key = node
        }
        open.append(container)
    }

    private func fault(_ event: EventReader.Event, _ reason: String) -> YAMLError {
        YAMLError(line: event.line, column: event.column, reason: reason)
    }
}
