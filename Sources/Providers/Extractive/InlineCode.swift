/// Code within a sentence of Markdown: it ends with as many backticks in a row as it began with.
enum InlineCode {
    /// The rows of backticks, each as long as it can be.
    static func runs(in text: Substring) -> [Substring] {
        var runs: [Substring] = []
        var rest = text
        while let start = rest.firstIndex(of: "`") {
            runs.append(rest[start...].prefix { $0 == "`" })
            rest = rest[start...].drop { $0 == "`" }
        }
        return runs
    }

    /// Where code stands, and the backticks that nothing answers.
    static func parts(of text: Substring) -> (code: [Range<String.Index>], stray: [Substring]) {
        let runs = runs(in: text)
        let lengths = runs.map(\.count)
        var code: [Range<String.Index>] = []
        var stray: [Substring] = []
        var index = 0
        while index < runs.count {
            let rest = lengths[(index + 1)...]
            if let end = rest.firstIndex(of: lengths[index]) {
                code.append(runs[index].startIndex..<runs[end].endIndex)
                index = end
            } else {
                stray.append(runs[index])
            }
            index += 1
        }
        return (code, stray)
    }

    /// As it can be quoted outside of its document: without backticks that nothing answers, since what follows them
    /// would pass for code, without links that lead on within the document or beside it, and with its own `[1]` written
    /// so that it is no reference to one of ours. Code stays as it is.
    static func quotable(_ text: String) -> String {
        let closed = closed(text)
        guard closed.contains("[") else { return closed }
        return replacing(#/\[([0-9]{1,3})\]/#, in: replacing(link, in: closed) { "\($0.1)" }) {
            "\\[\($0.1)\\]"
        }
    }

    /// What names no host.
    private static var link: Regex<(Substring, Substring)> {
        #/!?\[([^\]]*)\]\((?![A-Za-z][A-Za-z0-9+.\-]*:)[^)]*\)/#
    }

    private static func replacing(
        _ regex: Regex<(Substring, Substring)>, in text: String,
        by replacement: (Regex<(Substring, Substring)>.Match) -> String
    ) -> String {
        let code = parts(of: text[...]).code
        return text.replacing(regex) { match in
            let isCode = code.contains { $0.contains(match.range.lowerBound) }
            return isCode ? String(match.0) : replacement(match)
        }
    }

    private static func closed(_ text: String) -> String {
        var closed = ""
        var start = text.startIndex
        for stray in parts(of: text[...]).stray {
            closed += text[start..<stray.startIndex]
            start = stray.endIndex
        }
        return closed + text[start...]
    }
}
