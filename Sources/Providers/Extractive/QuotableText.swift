internal import Markdown

extension String {
    /// As it can be quoted outside of its document: without backticks that nothing answers, since what follows them
    /// would pass for code, without links that lead on within the document or beside it, and with its own `[1]` written
    /// so that it is no reference to one of ours. Code stays as it is.
    var quotable: String {
        let closed = InlineCode.closed(self)
        guard closed.contains("[") else { return closed }
        return closed.replacingOutsideCode(link) { "\($0)" }
            .replacingOutsideCode(#/\[([0-9]{1,3})\]/#) { "\\[\($0)\\]" }
    }

    /// `replacement` makes of the first group what stands instead of the whole.
    private func replacingOutsideCode(
        _ regex: Regex<(Substring, Substring)>, _ replacement: (Substring) -> String
    ) -> String {
        let code = InlineCode.parts(of: self[...]).code
        return replacing(regex) { match in
            let isCode = code.contains { $0.contains(match.range.lowerBound) }
            return isCode ? String(match.0) : replacement(match.1)
        }
    }
}

/// A link that names no host.
private var link: Regex<(Substring, Substring)> {
    #/!?\[([^\]]*)\]\((?![A-Za-z][A-Za-z0-9+.\-]*:)[^)]*\)/#
}
