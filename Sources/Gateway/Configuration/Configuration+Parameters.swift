internal import JSON
internal import OpenAI
internal import Providers
internal import YAML

extension Adjustments {
    /// Members that the gateway itself acts on, or that make a request what it is.
    private static let own = ["model", "messages", "prompt", "input", "stream"]
    /// More of them that a default could not change.
    private static let settled = own + ["stream_options", "store"]

    /// Reads `models[].parameters`.
    mutating func read(_ section: Section) {
        readDefaults(section)
        section.read("rename", into: &rename, as: .renames)
        section.read("drop", into: &drop, as: .list(of: "parameter names"))
        checkDefaults(section)
        checkRenames(section)
        for name in drop where Self.own.contains(name) {
            section.fail("drop", "names \"\(name)\", which every request needs")
        }
        for name in drop {
            let isDefault = defaults.contains { $0.key == name }
            guard isDefault || rename.contains(where: { $0.from == name }) else { continue }
            section.fail(
                "drop", "names \"\(name)\", which is \(isDefault ? "given a default" : "renamed")")
        }
    }

    private mutating func readDefaults(_ section: Section) {
        do throws(JSONSpelling.Fault) {
            if let given = section["default"] { _ = try JSONSpelling.json(given) }
            section.read("default", into: &defaults, as: .defaults)
        } catch {
            section.source.fail(
                error.node,
                "\(section.path).default holds a number that JSON cannot spell; "
                    + "quote it if it is a text")
        }
    }

    private func checkDefaults(_ section: Section) {
        for (key, _) in defaults where Self.settled.contains(key) {
            section.fail("default", key, "is not for a default")
        }
        // As if a caller had sent them.
        let least = #"{"model":"m","messages":[{"role":"user","content":""}]}"#
        guard let root = try? Document(Array(least.utf8)).root else { return }
        let others = defaults.filter { !Self.settled.contains($0.key) }
        do throws(APIError) {
            _ = try ChatCompletionRequest(root.editing(others.map { .set($0.key, $0.value) }))
        } catch {
            let parameter = error.param?.prefix { $0 != "." && $0 != "[" } ?? ""
            section.fail("default", String(parameter), "is refused: \(error.message)")
        }
    }

    private func checkRenames(_ section: Section) {
        for (from, to) in rename {
            if Self.own.contains(from) {
                section.fail("rename", from, "is what every request needs")
            } else if Self.settled.contains(to) {
                section.fail("rename", from, "cannot become \"\(to)\"")
            } else if from == to || rename.contains(where: { $0.from == to }) {
                section.fail("rename", from, "becomes \"\(to)\", which is renamed itself")
            }
        }
    }
}

extension Section {
    /// Notes a problem at a member of the mapping at a key.
    fileprivate func fail(_ name: String, _ member: String, _ message: String) {
        let path = "\(path).\(name).\(member)"
        source.fail(self[name]?[member] ?? self[name] ?? node, "\(path) \(message)")
    }
}

extension Reading<[(key: String, value: [UInt8])]> {
    fileprivate static let defaults = Reading(
        expected: "a mapping of parameters to values as JSON spells them",
        show: { members in
            let texts = members.map { "\($0.key): \(String(decoding: $0.value, as: UTF8.self))" }
            return texts.isEmpty ? "{}" : "{ \(texts.joined(separator: ", ")) }"
        }
    ) { node in
        guard case .mapping(let members) = node.content else { return nil }
        let read = members.compactMap { key, value in
            (try? JSONSpelling.json(value)).map { (key: key.text ?? "", value: $0) }
        }
        return read.count == members.count ? read : nil
    }
}

extension Reading<[(from: String, to: String)]> {
    fileprivate static let renames = Reading(
        expected: "a mapping of names to names",
        show: { names in
            let texts = names.map { "\($0.from): \($0.to)" }
            return texts.isEmpty ? "{}" : "{ \(texts.joined(separator: ", ")) }"
        }
    ) { node in
        guard case .mapping(let members) = node.content else { return nil }
        let read = members.compactMap { key, value -> (from: String, to: String)? in
            guard let from = key.text, let to = value.text, !from.isEmpty, !to.isEmpty else {
                return nil
            }
            return (from, to)
        }
        return read.count == members.count ? read : nil
    }
}
