/// Code within a sentence of Markdown: it ends with as many backticks in a row as it began with.
package enum InlineCode {
    /// The rows of backticks, each as long as it can be.
    package static func runs(in text: Substring) -> [Substring] {
        var runs: [Substring] = []
        var rest = text
        while let start = rest.firstIndex(of: "`") {
            runs.append(rest[start...].prefix { $0 == "`" })
            rest = rest[start...].drop { $0 == "`" }
        }
        return runs
    }

    /// Where code stands, and the backticks that nothing answers.
    package static func parts(of text: Substring) -> (
        code: [Range<String.Index>], stray: [Substring]
    ) {
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

    /// Without backticks that nothing answers: what follows them would pass for code.
    package static func closed(_ text: String) -> String {
        var closed = ""
        var start = text.startIndex
        for stray in parts(of: text[...]).stray {
            closed += text[start..<stray.startIndex]
            start = stray.endIndex
        }
        return closed + text[start...]
    }
}
