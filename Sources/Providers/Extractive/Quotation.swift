/// A sentence of a passage that may be quoted.
struct Quotation {
    let number: Int
    let text: String
    /// Place among all sentences, to keep the order of the text.
    let position: Int
    let terms: Set<String>
    var score = 0.0
}

private let quotationLimit = 5
private let quotationLimitPerPassage = 2

/// The sentences that share most with the question, in the order of the passages.
func bestQuotations(_ terms: Set<String>, _ passages: [Extractive.Passage]) -> [Quotation] {
    guard !terms.isEmpty else { return [] }
    var sentences: [Quotation] = []
    for passage in passages {
        for text in Words.sentences(of: passage.text, within: passage.fence) {
            sentences.append(
                Quotation(
                    number: passage.number, text: text, position: sentences.count,
                    terms: Set(Words.terms(of: text)).intersection(terms)))
        }
    }
    let weights = weights(of: terms, in: sentences)
    for index in sentences.indices {
        sentences[index].score = sentences[index].terms.reduce(0) { $0 + (weights[$1] ?? 0) }
    }
    return chosen(from: sentences)
}

/// A word that few sentences have tells more than one that all have.
private func weights(of terms: Set<String>, in sentences: [Quotation]) -> [String: Double] {
    var weights: [String: Double] = [:]
    for term in terms {
        let holders = sentences.count { $0.terms.contains(term) }
        guard holders > 0 else { continue }
        weights[term] = 1 + Double(sentences.count - holders) / Double(sentences.count)
    }
    return weights
}

private func chosen(from sentences: [Quotation]) -> [Quotation] {
    let ranked = sentences.filter { $0.score > 0 }.sorted {
        ($1.score, $0.position) < ($0.score, $1.position)
    }
    guard let best = ranked.first else { return [] }
    var chosen: [Quotation] = []
    for sentence in ranked where sentence.score >= best.score / 2 {
        let fromSame = chosen.count { $0.number == sentence.number }
        guard fromSame < quotationLimitPerPassage,
            !chosen.contains(where: { $0.text == sentence.text })
        else { continue }
        chosen.append(sentence)
        if chosen.count == quotationLimit { break }
    }
    return chosen.sorted { $0.position < $1.position }
}
