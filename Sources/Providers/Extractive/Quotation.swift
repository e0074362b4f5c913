/// A sentence of a passage that may be quoted.
struct Quotation {
    let number: Int
    let text: String
    /// Place of its passage, which may share its number with others.
    let passage: Int
    /// Place among all sentences, to keep the order of the text.
    let position: Int
    /// What it shares with the question.
    let terms: Set<String>
    /// What the heading above it shares with the question.
    let heading: Set<String>
    var score = 0.0
}

private let quotationLimit = 5
private let quotationLimitPerPassage = 2
/// Words up to which a sentence is not too long to say one thing.
private let longSentence = 60.0
/// A term of so much of the highest weight is as rare as any.
private let leastPartOfRarest = 0.75

/// The sentences that share most with the question, in the order of the passages.
func bestQuotations(_ terms: Set<String>, _ passages: [Extractive.Passage]) -> [Quotation] {
    guard !terms.isEmpty else { return [] }
    var sentences: [Quotation] = []
    for (index, passage) in passages.enumerated() {
        let heading = terms.intersection(Words.terms(of: passage.heading ?? ""))
        for text in Words.sentences(of: passage.text, within: passage.fence) {
            sentences.append(
                Quotation(
                    number: passage.number, text: text, passage: index, position: sentences.count,
                    terms: terms.intersection(Words.terms(of: text)), heading: heading))
        }
    }
    return chosen(from: scored(sentences))
}

/// Those that have a term of the question as rare as any, or several others: what else is said is about something else.
/// A heading that has such a term speaks for what stands below it.
private func scored(_ sentences: [Quotation]) -> [Quotation] {
    let weights = weights(in: sentences)
    let highest = weights.values.max() ?? 0
    let rarest = Set(weights.filter { $0.value >= highest * leastPartOfRarest }.keys)
    return sentences.compactMap { sentence in
        let isBelow = !rarest.isDisjoint(with: sentence.heading)
        let terms = isBelow ? sentence.terms.union(sentence.heading) : sentence.terms
        guard terms.count > 1 || !rarest.isDisjoint(with: terms) else { return nil }
        let weight = terms.reduce(0) { $0 + (weights[$1] ?? 0) }
        var scored = sentence
        scored.score = weight / max(1, Double(Words.count(in: sentence.text)) / longSentence)
        return scored
    }
}

/// The weights of the question's terms, as far as they occur: one that few sentences have tells more than one that all
/// have (its inverse document frequency), a number or a name twice as much as a word.
private func weights(in sentences: [Quotation]) -> [String: Double] {
    var holders: [String: Int] = [:]
    for sentence in sentences {
        for term in sentence.terms { holders[term, default: 0] += 1 }
        for term in sentence.heading { holders[term, default: 0] += 0 }
    }
    return Dictionary(
        uniqueKeysWithValues: holders.map { term, count in
            let ratio = 1 + Double(sentences.count) / Double(max(1, count))
            // The binary logarithm, straight between powers of two.
            let rarity = Double(ratio.exponent) + ratio.significand - 1
            return (term, Words.isName(term) ? 2 * rarity : rarity)
        })
}

private func chosen(from sentences: [Quotation]) -> [Quotation] {
    let ranked = sentences.sorted {
        ($1.score, $0.position) < ($0.score, $1.position)
    }
    guard let best = ranked.first else { return [] }
    var chosen: [Quotation] = []
    for sentence in ranked where sentence.score >= best.score / 2 {
        let fromSame = chosen.count { $0.passage == sentence.passage }
        guard fromSame < quotationLimitPerPassage,
            !chosen.contains(where: { $0.text == sentence.text })
        else { continue }
        chosen.append(sentence)
        if chosen.count == quotationLimit { break }
    }
    return chosen.sorted { $0.position < $1.position }
}
