package import Providers

extension Configuration {
    /// A model that callers may ask for.
    package struct Model: Sendable {
        /// What to do with an answer whose caller has left.
        package enum Disconnect: String, Sendable, CaseIterable {
            case abort, finish
        }

        /// The name on the wire.
        package var id = ""
        /// The name for people.
        package var name = ""
        /// Who answers, in the order in which they are tried unless they have weights; never empty.
        package var candidates: [Candidate] = []
        /// Put in front of the caller's instructions.
        package var systemPrompt: String?
        /// What is changed in the callers' parameters.
        package var parameters = Adjustments()
        /// Whether answers in JSON are checked before anybody sees them.
        package var validates = false
        /// Where passages for the question come from; nil for none.
        package var retrieval: Retrieval?
        /// What happens when the caller leaves.
        package var onDisconnect = Disconnect.abort
        /// The id of the model for side requests; nil for this one.
        package var taskModel: String?
        /// Who may use it.
        package var allowedRoles = Selection.all

        /// A model by its id and its candidates.
        package init(id: String, candidates: [Candidate]) {
            self.id = id
            self.name = id
            self.candidates = candidates
        }
    }

    /// One way to have a model's answer.
    package struct Candidate: Sendable, Equatable {
        /// The provider's name; always one of `providers`.
        package var provider = ""
        /// The model's name at the provider; empty for `extractive` only.
        package var model = ""
        /// How often it is asked first, beside the others; nil for none.
        package var weight: Int?

        /// A provider's model.
        package init(provider: String, model: String = "") {
            self.provider = provider
            self.model = model
        }
    }

    /// What is looked up for a question.
    package struct Retrieval: Sendable, Equatable {
        /// How citations are told.
        package enum Dialect: String, Sendable, CaseIterable {
            case auto, annotations, openwebui, markdown
        }

        /// Names of collections; never empty.
        package var collections: [String] = []
        /// Passages, at most.
        package var passages = 6
        /// How citations are told.
        package var dialect = Dialect.auto

        /// Retrieval from these collections.
        package init(collections: [String]) { self.collections = collections }
    }
}

extension Configuration.Model {
    init(
        _ section: Section, providers: [String: Configuration.Provider],
        roles: [String: Configuration.Role]
    ) {
        section.require("id", "candidates")
        section.read("id", into: &id, as: .text(1...200))
        name = id
        section.read("name", into: &name, as: .text(1...200))
        let candidates = section.sections("candidates")
        if section["candidates"] != nil, candidates.isEmpty {
            section.fail("candidates", "must be a list of one or more candidates")
        }
        self.candidates = candidates.map { Configuration.Candidate($0, providers) }
        section.read("system_prompt", into: &systemPrompt, as: Reading.text.optional)
        parameters.read(section.section("parameters"))
        section.read("validate", into: &validates, as: .boolean)
        if section["retrieval"] != nil {
            retrieval = Configuration.Retrieval(section.section("retrieval"))
        }
        section.read("on_disconnect", into: &onDisconnect, as: .word)
        section.read("task_model", into: &taskModel, as: Reading.text.optional)
        section.read("allowed_roles", into: &allowedRoles, as: .selection(of: "role names"))
        check(section, providers, roles)
    }

    private func check(
        _ section: Section, _ providers: [String: Configuration.Provider],
        _ roles: [String: Configuration.Role]
    ) {
        let isExtractive = candidates.contains { providers[$0.provider]?.kind == .extractive }
        if isExtractive, retrieval == nil {
            section.fail(
                "retrieval", "is missing: an extractive candidate can only quote what is retrieved")
        }
        if isExtractive, validates {
            section.fail("validate", "is not for extractive candidates, which only quote")
        }
        guard case .only(let names) = allowedRoles else { return }
        for name in names where roles[name] == nil {
            let suggestion = Suggestion.text(for: name, among: roles.keys.sorted())
            section.fail("allowed_roles", "names \"\(name)\", which is no role\(suggestion)")
        }
    }
}

extension Configuration.Candidate {
    init(_ section: Section, _ providers: [String: Configuration.Provider]) {
        section.require("provider")
        section.read("provider", into: &provider, as: .text)
        section.read("model", into: &model, as: .candidateModel)
        section.read("weight", into: &weight, as: Reading<Int>.integer(0...1_000_000).optional)
        guard section["provider"] != nil else { return }
        guard let known = providers[provider] else {
            let suggestion = Suggestion.text(for: provider, among: providers.keys.sorted())
            section.fail("provider", "names a provider that does not exist\(suggestion)")
            return
        }
        if known.kind != .extractive { section.require("model") }
    }
}

extension Configuration.Retrieval {
    init(_ section: Section) {
        section.require("collections")
        section.read("collections", into: &collections, as: .collectionNames)
        section.read("passages", into: &passages, as: .integer(1...50))
        section.read("dialect", into: &dialect, as: .word)
    }
}

extension Reading<String> {
    fileprivate static let candidateModel = Reading(
        expected: "a text of 1 to 200 characters", show: { $0.isEmpty ? "none" : $0 },
        read: Reading.text(1...200).read)
}
