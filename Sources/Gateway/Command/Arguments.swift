/// The words of a command line: options with a value, flags, and the rest in order.
struct Arguments: Sendable {
    /// What is wrong with a command line, for the person who typed it.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var words: [String] = []
    private var values: [String: String] = [:]
    private var flags: Set<String> = []

    /// Options may stand anywhere, as `--name value` or `--name=value`.
    init(_ arguments: [String], options: Set<String>, flags known: Set<String>) throws(Mistake) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            let parts = word.dropFirst(2)
                .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            if known.contains(name), parts.count == 1 {
                flags.insert(name)
            } else if options.contains(name) {
                // What looks like an option is none's value: better refuse than name a user `--admin`.
                let next = parts.count == 2 ? String(parts[1]) : rest.popFirst()
                guard let value = next, parts.count == 2 || !value.hasPrefix("--") else {
                    throw Mistake(description: "--\(name) needs a value")
                }
                guard values.updateValue(value, forKey: name) == nil else {
                    throw Mistake(description: "--\(name) is there twice")
                }
            } else {
                throw Mistake(description: "unknown option --\(name)")
            }
        }
    }

    subscript(_ option: String) -> String? { values[option] }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option that must be there.
    func require(_ option: String) throws(Mistake) -> String {
        guard let value = values[option] else {
            throw Mistake(description: "--\(option) is missing")
        }
        return value
    }

    /// The only word.
    func word(_ meaning: String) throws(Mistake) -> String {
        guard words.count == 1, let word = words.first else {
            throw Mistake(description: "expected one \(meaning)")
        }
        return word
    }
}
