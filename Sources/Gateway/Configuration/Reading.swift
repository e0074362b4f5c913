import YAML

/// How a value is read from a node, what is said if it cannot be, and how it is shown.
struct Reading<Value>: Sendable {
    /// The end of "… must be".
    let expected: String
    let show: @Sendable (Value) -> String
    let read: @Sendable (Node) -> Value?
}

extension Reading {
    /// The same with nil for an absent value, shown as `none`.
    var optional: Reading<Value?> { or("none") }

    /// The same with nil shown as a word, which also may be written.
    func or(_ word: String) -> Reading<Value?> {
        Reading<Value?>(
            expected: word == "none" ? expected : "\(expected), or \(word)",
            show: { $0.map(show) ?? word },
            read: { node in node.text == word ? .some(nil) : read(node).map { .some($0) } })
    }
}

extension Reading<String> {
    static let text = text("a text") { _ in true }

    static func text(_ expected: String, _ isValid: @escaping @Sendable (String) -> Bool) -> Self {
        Reading(expected: expected, show: { $0 }) { node in
            node.text.flatMap { isValid($0) ? $0 : nil }
        }
    }

    static func text(_ counts: ClosedRange<Int>) -> Self {
        text("a text of \(counts.lowerBound) to \(counts.upperBound) characters") {
            counts.contains($0.count)
        }
    }

    static let folder = text("an absolute path") { $0.hasPrefix("/") && !$0.utf8.contains(0) }

    static let path = text("an absolute path of at most 107 bytes") {
        $0.hasPrefix("/") && $0.utf8.count <= 107 && !$0.utf8.contains(0)
    }
}

extension Reading<Secret> {
    static func secret(atLeast length: Int = 1) -> Self {
        let expected = length > 1 ? "a secret of at least \(length) characters" : "a secret"
        return Reading(expected: expected, show: \.description) { node in
            node.text.flatMap { $0.count >= length ? Secret($0) : nil }
        }
    }
}

extension Reading<Bool> {
    static let boolean = Reading(expected: "true or false", show: { "\($0)" }) { $0.boolean }
}

extension Reading<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        return Reading(expected: expected, show: { "\($0)" }) { node in
            node.integer.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// `64 MiB`, `512KiB` or plain bytes.
    static let byteCount = Reading(
        expected: "a number of bytes up to 1024 MiB, such as 512 KiB or 64 MiB", show: byteCountText
    ) { node in
        let text = node.text ?? ""
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factors = ["": 1, "KiB": 1 << 10, "MiB": 1 << 20]
        let suffix = String(text.dropFirst(digits.count).drop { $0 == " " })
        guard let count = Int(digits), let factor = factors[suffix],
            (1...(1 << 30) / factor).contains(count)
        else { return nil }
        return count * factor
    }

    private static func byteCountText(_ count: Int) -> String {
        for (suffix, factor) in [("MiB", 1 << 20), ("KiB", 1 << 10)]
        where count.isMultiple(of: factor) {
            return "\(count / factor) \(suffix)"
        }
        return "\(count)"
    }
}

extension Reading<Double> {
    static func seconds(_ range: ClosedRange<Double>) -> Self {
        let expected = "seconds from \(text(range.lowerBound)) to \(text(range.upperBound))"
        return Reading(expected: expected, show: text) { node in
            node.number.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Without `.0`.
    private static func text(_ number: Double) -> String {
        let whole = Int(number)
        return Double(whole) == number ? "\(whole)" : "\(number)"
    }
}

extension Reading<[String]> {
    static func list(
        of what: String, atLeast count: Int = 0,
        where isValid: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) -> Self {
        let expected = count > 0 ? "a list of one or more \(what)" : "a list of \(what)"
        return Reading(expected: expected, show: show) { node in
            guard case .sequence(let elements) = node.content else { return nil }
            let texts = elements.compactMap(\.text).filter(isValid)
            guard texts.count == elements.count, texts.count >= count else { return nil }
            return texts
        }
    }

    /// Names as RFC 9110 has them.
    static let headerNames = list(of: "header names") { name in
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    /// At least one, as `archway ingest` takes them.
    static let collectionNames = list(
        of: "collection names of \(String.plainName)", atLeast: 1, where: \.isPlainName)

    static func show(_ texts: [String]) -> String {
        let quoted = texts.map { text in
            text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x2D || $0 == 0x5F }
                ? text : "\"\(text)\""
        }
        return "[\(quoted.joined(separator: ", "))]"
    }
}

extension Reading<Selection> {
    static func selection(of what: String) -> Self {
        let list = Reading<[String]>.list(of: what)
        return Reading(
            expected: "\(list.expected), or \"*\"",
            show: { selection in
                guard case .only(let names) = selection else { return "\"*\"" }
                return list.show(names)
            }
        ) { node in
            node.text == "*" ? .all : list.read(node).map(Selection.only)
        }
    }
}

extension Reading where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
    /// One of the words of an enumeration.
    static var word: Self {
        let words = Value.allCases.map(\.rawValue)
        return Reading(
            expected: words.count > 1
                ? words.dropLast().joined(separator: ", ") + " or " + words.suffix(1).joined()
                : words.joined(), show: \.rawValue
        ) { $0.text.flatMap(Value.init(rawValue:)) }
    }
}

extension UInt8 {
    /// Whether it is an ASCII letter or digit.
    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self & ~0x20)
    }
}
