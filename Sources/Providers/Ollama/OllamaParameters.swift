import JSON

/// A caller's parameters where Ollama has them: most of them in `options`.
struct OllamaParameters {
    private let root: Node
    private let contextLength: Int?
    private let maximumTokens: Int?

    /// `root` is the request; `contextLength` is the window of the configuration.
    init(_ root: Node, contextLength: Int?, maximumTokens: Int? = nil) {
        self.root = root
        self.contextLength = contextLength
        self.maximumTokens = maximumTokens
    }

    /// The members of `options`.
    var options: [Member] {
        var options: [Member] = []
        if let contextLength { options.append(Member("num_ctx", .integer(contextLength))) }
        if let maximumTokens {
            options.append(Member("num_predict", .integer(maximumTokens)))
        }
        for name in optionNames {
            guard let node = root[name], !node.isNull else { continue }
            let value = Value.verbatim(Array(node.bytes))
            let isLone = name == "stop" && node.kind == .string
            options.removeAll { $0.key == name }
            options.append(Member(name, isLone ? .array([value]) : value))
        }
        return options
    }

    /// What neither OpenAI nor the translation of a route (`handled`) knows is the caller's talk with Ollama.
    func unknown(besides handled: Set<String>) -> [Member] {
        root.members.compactMap { key, node in
            guard !handled.contains(key), !optionNames.contains(key), !node.isNull else {
                return nil
            }
            return Member(key, .verbatim(Array(node.bytes)))
        }
    }
}

/// Members that Ollama reads from `options`, by the name that both use.
private let optionNames: Set<String> = [
    "frequency_penalty", "main_gpu", "min_p", "mirostat", "mirostat_eta", "mirostat_tau",
    "num_batch",
    "num_ctx", "num_gpu", "num_keep", "num_thread", "presence_penalty", "repeat_last_n",
    "repeat_penalty", "seed", "stop", "temperature", "top_k", "top_p", "typical_p", "use_mmap",
]
