/// A model that trials ask, and what it answers.
struct TrialModel: Sendable {
    /// What comes back if all is well.
    enum Answer: Sendable {
        case question
        case text(String)
        /// Nothing whole: the provider fails.
        case failure
        /// It fails in a stream; in one piece this comes back.
        case failureInStream(String)
    }

    var id: String
    /// Of the configuration, where the plan does not have it already.
    var candidates: String?
    var answer: Answer

    init(_ id: String, _ answer: Answer, candidates: String? = nil) {
        self.id = id
        self.answer = answer
        self.candidates = candidates
    }

    func expected(of question: String, isStream: Bool) -> String? {
        switch answer {
        case .question: question
        case .text(let text): text
        case .failure: nil
        case .failureInStream(let text): isStream ? nil : text
        }
    }

    /// Providers that keep their words, at once or slowly.
    static let sound: [(element: TrialModel, weight: Int)] = [
        (TrialModel("echo", .question), 5),
        (TrialModel("murmur", .question, candidates: scripted("scripted", "echo-paced-12")), 6),
        (TrialModel("drawl", .question, candidates: scripted("scripted", "echo-paced-40")), 2),
        (TrialModel("ollama-echo", .question), 1),
        (TrialModel("slow-first-300", .text("at last")), 2),
        (TrialModel("slow-end-500", .text("ok")), 1),
    ]

    /// Providers that do not. They are called by a name of their own: what they do must not be held against others.
    static let faulty: [(element: TrialModel, weight: Int)] =
        [
            ("cuts", "cut-after-3"), ("resets", "reset-after-3"),
            ("refuses", "reset-before-headers"),
            ("fails", "status-500"), ("is-busy", "status-503"), ("stalls-soon", "hang-after-3"),
        ].map { id, model in
            (TrialModel(id, .failure, candidates: scripted("faulty", model)), 1)
        }
        + [
            ("errs", "error-event", "good"), ("never-ends", "no-done", "never finished"),
            ("garbles", "malformed-event", "good"),
        ].map { id, model, text in
            (TrialModel(id, .failureInStream(text), candidates: scripted("faulty", model)), 1)
        } + [
            (
                TrialModel(
                    "second-best", .question,
                    candidates: "{ provider: faulty, model: status-500 }, "
                        + "{ provider: scripted, model: echo }"), 2
            )
        ]

    private static func scripted(_ provider: String, _ model: String) -> String {
        "{ provider: \(provider), model: \(model) }"
    }

    /// Lines of the configuration's list.
    static var configuration: String {
        (sound + faulty).compactMap { model, _ in
            model.candidates.map { "  - { id: \(model.id), candidates: [ \($0) ] }\n" }
        }.joined()
    }
}
