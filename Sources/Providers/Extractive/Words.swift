/// The words of a text, by plain rules that suit European languages.
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

    /// Without accents: a plural may have one that the singular has not ("Umzug", "Umzüge").
    private static func words(of text: String) -> [String] {
        text.lowercased().folded.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(
            String.init)
    }

    /// Whether a term is a number or a name out of code, which says more than a word.
    static func isName(_ term: String) -> Bool {
        term.contains { $0.isNumber || $0 == "_" }
    }

    /// Words and signs, as a stand-in for tokens.
    static func count(in text: String) -> Int {
        var count = 0
        scan(text) { _ in
            count += 1
            return true
        }
        return count
    }

    /// The first so many words and signs.
    static func beginning(of text: String, words: Int) -> String {
        var count = 0
        var end = text.endIndex
        scan(text) { start in
            count += 1
            if count > words { end = start }
            return count <= words
        }
        let blanks = text[..<end].reversed().prefix(while: \.isWhitespace).count
        return String(text[..<end].dropLast(blanks))
    }

    /// Tells where each word and each sign begins, as long as that is wanted.
    private static func scan(_ text: String, _ tell: (String.Index) -> Bool) {
        var isInWord = false
        for index in text.indices {
            let character = text[index]
            let isWord = character.isLetter || character.isNumber
            let isNew = isWord ? !isInWord : !character.isWhitespace
            if isNew, !tell(index) { return }
            isInWord = isWord
        }
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

extension String {
    /// With letters of Latin without their accents.
    fileprivate var folded: String {
        guard utf8.contains(where: { $0 >= 0x80 }) else { return self }
        let scalars = unicodeScalars.lazy
            .filter { $0.properties.generalCategory != .nonspacingMark }
            .map { plainLetters[$0] ?? $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}

private let plainLetters = Dictionary(
    uniqueKeysWithValues: zip(
        "àáâãäåèéêëìíîïòóôõöøùúûüýÿçñ".unicodeScalars, "aaaaaaeeeeiiiioooooouuuuyycn".unicodeScalars
    ))

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
    """.folded.split(whereSeparator: \.isWhitespace).map(String.init))
