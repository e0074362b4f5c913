/// Words and sentences of a text, by plain rules that suit European languages.
enum Words {
    /// The words that carry meaning, in lower case and without common endings.
    static func terms(of text: String) -> [String] {
        text.lowercased()
            .split { !$0.isLetter && !$0.isNumber }
            .map(String.init)
            .filter { $0.count > 1 && !stopWords.contains($0) }
            .map(stem)
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

    /// Sentences, list items and lines of a table, each on one line, and code as it stands between its fences;
    /// headings, and those of tables, are left out.
    static func sentences(of text: String) -> [String] {
        var sentences: [String] = []
        for block in blocks(of: text) {
            if block.hasPrefix(fence) {
                sentences.append(block)
                continue
            }
            var sentence = ""
            let words = block.split(whereSeparator: \.isWhitespace)
            for (index, word) in words.enumerated() {
                if !sentence.isEmpty { sentence.append(" ") }
                sentence.append(contentsOf: word)
                let next = index + 1 < words.count ? words[index + 1] : nil
                if endsSentence(word, before: next) || sentence.utf8.count > 600 {
                    sentences.append(sentence)
                    sentence = ""
                }
            }
            if !sentence.isEmpty { sentences.append(sentence) }
        }
        return sentences.filter { count(in: $0) >= 3 }
    }

    private static let fence = "```"

    /// Paragraphs with their lines joined; a line that begins an item stands alone. Code keeps its lines.
    private static func blocks(of text: String) -> [String] {
        var blocks: [String] = []
        var current = ""
        var code: [Substring]?
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (whole, next) in zip(lines, lines.dropFirst() + [""]) {
            let line = trimmed(whole)
            if let lines = code {
                let isEnd = line == fence
                code = isEnd ? nil : lines + [whole]
                if isEnd { blocks.append((lines + [line]).joined(separator: "\n")) }
                continue
            }
            if line.hasPrefix(fence) {
                blocks.append(current)
                current = ""
                code = [line]
                continue
            }
            let isHeading = line.hasPrefix("#") || isTableRule(line) || isTableRule(next)
            let isItem = ["- ", "* ", "| ", "> "].contains { line.hasPrefix($0) }
            if line.isEmpty || isHeading || isItem {
                blocks.append(current)
                current = ""
            }
            if isHeading { continue }
            current += (current.isEmpty ? "" : " ") + (isItem ? line.dropFirst(2) : line)
        }
        // A passage may end within its code.
        if let code { blocks.append((code + [fence[...]]).joined(separator: "\n")) }
        return (blocks + [current]).filter { !$0.isEmpty }
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

    /// So little of a stem that "opening", "opens" and "open" meet.
    private static func stem(_ word: String) -> String {
        for ending in endings where word.hasSuffix(ending) && word.count - ending.count >= 3 {
            return String(word.dropLast(ending.count))
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
    most must my no nor not now of off on once only or other our ours out over own please same shall
    she should so some such tell than that the their theirs them then there these they this those
    through to too under until up us very was we were what when where which while who whom why will
    with would you your yours explain describe
    aber als am an auch auf aus bei bin bis das dass dem den der des die dies ein eine einem einen
    einer eines er es für hat haben ich ihr im in ist ja kann man mein mich mit nach nicht noch nur
    oder ohne sein sich sie sind so über um und uns von vor war was wie wir wird wo zu zum zur
    """.split(whereSeparator: \.isWhitespace).map(String.init))
