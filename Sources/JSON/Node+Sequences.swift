extension Node {
    /// The elements of an array in order; none for other kinds.
    package var elements: Elements { Elements(self) }

    /// The members of an object in order, their keys decoded; none for other kinds.
    package var members: Members { Members(self) }

    /// The elements of an array, found one by one.
    package struct Elements: Sequence, IteratorProtocol, Sendable {
        private let storage: Document.Storage
        private var index: Int
        private let end: Int

        init(_ node: Node) {
            storage = node.storage
            index = node.index + 1
            end = node.kind == .array ? node.following : index
        }

        /// The next element, or nil at the end.
        package mutating func next() -> Node? {
            guard index < end else { return nil }
            let node = Node(storage, index)
            index = node.following
            return node
        }
    }

    /// The members of an object, found one by one.
    package struct Members: Sequence, IteratorProtocol, Sendable {
        private let storage: Document.Storage
        private var indices: MemberIndices

        init(_ node: Node) {
            storage = node.storage
            indices = MemberIndices(node)
        }

        /// The next member, or nil at the end.
        package mutating func next() -> (key: String, value: Node)? {
            guard let (key, value) = indices.next() else { return nil }
            return (
                String(decoding: Node(storage, key).text, as: UTF8.self), Node(storage, value)
            )
        }
    }

    /// Tape indices of an object's keys and values.
    struct MemberIndices: Sequence, IteratorProtocol, Sendable {
        private let storage: Document.Storage
        private var index: Int
        private let end: Int

        init(_ node: Node) {
            storage = node.storage
            index = node.index + 1
            end = node.kind == .object ? node.following : index
        }

        mutating func next() -> (key: Int, value: Int)? {
            guard index < end else { return nil }
            let key = index
            index = Node(storage, key + 1).following
            return (key, key + 1)
        }
    }
}
