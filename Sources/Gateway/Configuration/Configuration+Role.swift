/// What a caller may do. Every route names one, or is open.
package enum Action: String, Sendable, CaseIterable {
    case chat, responses, embeddings, models, tokens, knowledge, admin
}

extension Configuration {
    /// What the users of a role may do.
    package struct Role: Sendable, Equatable {
        /// Their actions; all others are refused.
        package var actions: Set<Action> = []
        /// Their models.
        package var models = Selection.all

        /// A role with these actions and models.
        package init(actions: Set<Action>, models: Selection = .all) {
            self.actions = actions
            self.models = models
        }

        /// The roles that are always there.
        package static let builtIn: [String: Role] = [
            "admin": Role(actions: Set(Action.allCases)),
            "user": Role(actions: Set(Action.allCases).subtracting([.admin])),
            "pending": Role(actions: []),
        ]

        init(_ section: Section) {
            section.require("actions")
            section.read("actions", into: &actions, as: .actions)
            section.read("models", into: &models, as: .selection(of: "model ids"))
        }
    }
}

extension Reading<Set<Action>> {
    fileprivate static let actions = Reading(
        expected: "a list of \(Action.allCases.map(\.rawValue).joined(separator: ", "))",
        show: { Reading<[String]>.show($0.map(\.rawValue).sorted()) },
        read: { node in
            let words = Reading<[String]>.list(of: "") { Action(rawValue: $0) != nil }
            return words.read(node).map { Set($0.compactMap(Action.init)) }
        })
}
