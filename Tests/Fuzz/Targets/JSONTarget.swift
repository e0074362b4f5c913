import JSON

/// The parser of JSON and the views over what it has read.
enum JSONTarget {
    static func fault(in input: [UInt8]) -> String? {
        guard JanssonOpinion.agrees(on: input) else { return "jansson sees it otherwise" }
        let loose = try? Document(input, limits: Limits(refusesDuplicateKeys: false))
        do {
            let document = try Document(input)
            guard loose != nil else { return "refused only where doubled keys are allowed" }
            return fault(in: document)
        } catch {
            guard error.offset <= input.count else { return "a fault beyond the end" }
            guard let loose else { return nil }
            let isDoubled = error.cause == .duplicateKey && hasDoubledKey(loose.root)
            return isDoubled ? nil : "\(error) of a good text"
        }
    }

    private static func fault(in document: Document) -> String? {
        if hasDoubledKey(document.root) { return "a doubled key is accepted" }
        if document.root.editing([]) != Array(document.root.bytes) { return "an edit of nothing" }
        return fault(in: document.root) ?? faultOfEdits(document.root)
    }

    private static func fault(in node: Node) -> String? {
        switch node.kind {
        case .array, .object:
            let values = node.kind == .array ? Array(node.elements) : node.members.map(\.value)
            guard values.count == node.count else { return "another count" }
            var end = node.range.lowerBound + 1
            for value in values {
                guard value.range.lowerBound >= end else { return "values overlap" }
                end = value.range.upperBound
                if let fault = fault(in: value) { return fault }
            }
            guard end < node.range.upperBound else { return "a value leaves its container" }
            return node.members.allSatisfy { node[$0]?.range == $1.range } ? nil : "a lost member"
        case .string:
            guard let text = node.string else { return "a string without a text" }
            let again = StringLiteral.decode(StringLiteral.encode(text))
            return again == text ? nil : "a string is not what it was"
        case .number:
            guard let integer = node.integer else { return nil }
            return node.number == Double(integer) ? nil : "an integer that is another number"
        case .null, .boolean: return nil
        }
    }

    /// Whatever is set or removed, the rest is still JSON and as it was.
    private static func faultOfEdits(_ root: Node) -> String? {
        guard let first = root.members.first(where: { _ in true }) else { return nil }
        let (count, renamed, added) = (root.count, first.key + "\"\u{0}", first.key + "+")
        let edits: [(edit: Edit, count: Int, remains: Bool)] = [
            (.set(first.key, Array("[7]".utf8)), count, true),
            (.remove(first.key), count - 1, false),
            (.rename(first.key, to: renamed), root[renamed] == nil ? count : count - 1, false),
            (.set(added, Array("[7]".utf8)), root[added] == nil ? count + 1 : count, true),
        ]
        for (edit, count, remains) in edits {
            guard let edited = try? Document(root.editing([edit])).root else {
                return "\(edit) leaves no JSON"
            }
            guard edited.count == count else { return "\(edit) leaves \(edited.count) members" }
            guard remains == (edited[first.key] != nil) else { return "\(edit) does not hold" }
        }
        return nil
    }

    private static func hasDoubledKey(_ node: Node) -> Bool {
        var keys: Set<[UInt8]> = []
        for (key, value) in node.members {
            guard keys.insert(Array(key.utf8)).inserted, !hasDoubledKey(value) else { return true }
        }
        return node.elements.contains(where: hasDoubledKey)
    }
}
