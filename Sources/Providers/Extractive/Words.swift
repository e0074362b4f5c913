/// Words and sentences of a text, by plain rules that suit European languages.
package enum Words {
    /// The words that carry meaning, in lower case and without common endings. A name as `drain_timeout` is a term
    /// besides its parts.
    static func terms(of text: String) -> [String] {
        let words = words(of: text)
        let names = words.map { $0.split(separator: "_") }.filter { $0.count > 1 }
        return words.flatMap { $0.split(separator: "_") }.map(String.init)
            .filter { $0.count > 1 && !stopWords.contains($0) }
            .map(stem) + names.map { $0.joined(separator: "_") }
    }

    /// The terms of a question: what it calls "back up" a text may call "backup".
    static func terms(ofQuestion question: String) -> Set<String> {
        Set(terms(of: question) + compounds(of: question).map(stem))
    }

    /// Each two neighbours as one word.
    package static func compounds(of text: String) -> [String] {
        let words = words(of: text)
        return zip(words, words.dropFirst()).map { $0 + $1 }
    }

    private static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    }

    /// Whether a term is a number or a name out of code, which says more than a word.
    static func isName(_ term: String) -> Bool {
        term.contains { $0.isNumber || $0 == "_" }
    }

    /// Words and signs, as a stand-in for tokens.
    static func count(in text: String) -> Int {
        var count = 0
        var isInWord = false
        for character in text {
            let isWord = character.isLetter || character.isNumber
            if isWord ? !isInWord : !character.isWhitespace { count += 1 }
            isInWord = isWord
        }
        return count
    }

    /// Sentences, list items and lines of a table, each on one line, and code between fences; headings, and those of
    /// tables, are left out. `fence` is the line that opened the code in which the text begins.
    static func sentences(of text: String, within fence: String? = nil) -> [String] {
        let sentences = blocks(of: text, within: fence).flatMap { block in
            switch block {
            case .code(let code): [code]
            case .prose(let prose): self.sentences(ofProse: prose)
            }
        }
        // A line of links is a signpost.
        return sentences.filter {
            count(in: $0) >= 3 && count(in: $0.replacing(link, with: "")) > 0
        }
    }

    private static var link: Regex<Substring> { #/!?\[[^\]]*\]\([^)]*\)/# }

    private static func sentences(ofProse block: String) -> [String] {
        var sentences: [String] = []
        var sentence = ""
        var code = InlineCode.parts(of: block[...]).code[...]
        let words = block.split(whereSeparator: \.isWhitespace)
        for (index, word) in words.enumerated() {
            if !sentence.isEmpty { sentence.append(" ") }
            sentence.append(contentsOf: word)
            let next = index + 1 < words.count ? words[index + 1] : nil
            code = code.drop { $0.upperBound <= word.endIndex }
            let isInCode = code.first.map { $0.lowerBound < word.endIndex } ?? false
            if !isInCode && endsSentence(word, before: next) || sentence.utf8.count > 600 {
                sentences.append(InlineCode.closed(sentence))
                sentence = ""
            }
        }
        return sentences + [InlineCode.closed(sentence)]
    }

    private enum Block {
        case prose(String)
        case code(String)
    }

    /// Paragraphs with their lines joined; a line that begins an item stands alone. Code keeps its lines, and has a
    /// line `…` where the text begins or ends within it.
    private static func blocks(of text: String, within fence: String?) -> [Block] {
        var blocks: [Block] = []
        var current = ""
        var open = fence.flatMap { CodeFence(opening: $0.utf8) }
        var code: [Substring] = open == nil ? [] : ["…"]
        func closeProse() {
            if !current.isEmpty { blocks.append(.prose(current)) }
            current = ""
        }
        func closeCode(_ fence: CodeFence) {
            if code.contains(where: { $0 != "…" }) { blocks.append(.code(fence.enclose(code))) }
            (open, code) = (nil, [])
        }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (whole, next) in zip(lines, lines.dropFirst() + [""]) {
            if let fence = open {
                if fence.isClosed(by: whole.utf8) { closeCode(fence) } else { code.append(whole) }
                continue
            }
            open = CodeFence(opening: whole.utf8)
            let line = trimmed(whole)
            let isHeading = line.hasPrefix("#") || isTableRule(line) || isTableRule(next)
            let isItem = ["- ", "* ", "| ", "> "].contains { line.hasPrefix($0) }
            if open != nil || line.isEmpty || isHeading || isItem { closeProse() }
            if open != nil || isHeading { continue }
            let text = isItem ? line.dropFirst(2) : line
            // A line that is broken on purpose ends so; here it is joined to the next one.
            current +=
                (current.isEmpty ? "" : " ") + (text.hasSuffix("\\") ? text.dropLast() : text)
        }
        closeProse()
        if let open {
            code.append("…")
            closeCode(open)
        }
        return blocks
    }

    /// What stands below the headings of a table: `|---|:-:|`.
    private static func isTableRule(_ line: Substring) -> Bool {
        line.contains("|") && line.contains("-")
            && line.allSatisfy { "|-:".contains($0) || $0.isWhitespace }
    }

    private static func endsSentence(_ word: Substring, before next: Substring?) -> Bool {
        let bare = word.trimmingSuffix { "\"'”’)]»".contains($0) }
        guard let last = bare.last, ".!?…。".contains(last) else { return false }
        guard let next else { return true }
        // "e.g.", "Dr.", "3." and initials go on.
        let stem = bare.dropLast()
        let isShort = last == "." && (stem.count < 3 || stem.contains("."))
        return !isShort && next.first?.isLowercase == false
    }

    /// So little of a stem that "opening", "opens" and "open" meet: what is left has no ending either.
    private static func stem(_ word: String) -> String {
        for ending in endings where word.hasSuffix(ending) && word.count - ending.count >= 3 {
            return stem(String(word.dropLast(ending.count)))
        }
        return word
    }

    private static let endings = [
        "ations", "ation", "ings", "ing", "ies", "ied", "ers", "ed", "es", "en", "er", "ly", "s",
        "e", "n", "y",
    ]
}

private func trimmed(_ line: Substring) -> Substring {
    let start = line.drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return start[...last]
}

extension Substring {
    fileprivate func trimmingSuffix(_ drops: (Character) -> Bool) -> Substring {
        guard let last = lastIndex(where: { !drops($0) }) else { return "" }
        return self[...last]
    }
}

private let stopWords: Set<String> = Set(
    """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how if in into is it its itself just like may me might more
    most much many must my need needs no nor not now of off on once only or other our ours out over
    own please same shall she should so some such tell than that the their theirs them then there
    these they this those through to too under until up us very was we were what when where which
    while who whom why will with would you your yours explain describe
    aber als am an auch auf aus bei bin bis das dass dem den der des die dies ein eine einem einen
    einer eines er es für hat haben ich ihr im in ist ja kann man mein mich mit nach nicht noch nur
    oder ohne sein sich sie sind so über um und uns von vor war was wie wir wird wo zu zum zur
    """.split(whereSeparator: \.isWhitespace).map(String.init))
