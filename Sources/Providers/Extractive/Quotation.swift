/// A statement of a passage that may be quoted.
struct Quotation {
    let number: Int
    var statement: Statement
    /// Place of its passage, which may share its number with others.
    let passage: Int
    /// Place among all statements, to keep the order of the text.
    let position: Int
    /// What it shares with the question.
    let terms: Set<String>
    /// What the heading above it shares with the question.
    let heading: Set<String>
    var score = 0.0

    /// Whether the reader of this one has the other one too.
    func repeats(_ other: Quotation) -> Bool {
        statement.text.contains(other.statement.content)
    }
}

private let quotationLimit = 5
private let quotationLimitPerPassage = 2
/// Words up to which a statement is not too long to say one thing.
private let longStatement = 60.0
/// A term of so much of the highest weight is as rare as any.
private let leastPartOfRarest = 0.75

/// The statements that share most with the question; those of one passage stand together, as there, and the passage
/// with the best one first.
func bestQuotations(_ terms: Set<String>, _ passages: [Extractive.Passage]) -> [Quotation] {
    guard !terms.isEmpty else { return [] }
    var quotations: [Quotation] = []
    for (index, passage) in passages.enumerated() {
        let heading = terms.intersection(Words.terms(of: passage.heading ?? ""))
        for statement in Statement.all(of: passage.text, below: passage.opening) {
            quotations.append(
                Quotation(
                    number: passage.number, statement: statement, passage: index,
                    position: quotations.count,
                    terms: terms.intersection(Words.terms(of: statement.content)),
                    heading: heading))
        }
    }
    return chosen(from: scored(quotations)).reduce(into: []) { joined, quotation in
        if let last = joined.last, last.number == quotation.number,
            let rows = last.statement.joined(with: quotation.statement)
        {
            joined[joined.count - 1].statement = rows
        } else {
            joined.append(quotation)
        }
    }
}

/// Those that have a term of the question as rare as any, or several others: what else is said is about something else.
/// A heading that has such a term speaks for what stands below it.
private func scored(_ quotations: [Quotation]) -> [Quotation] {
    let weights = weights(in: quotations)
    let highest = weights.values.max() ?? 0
    let rarest = Set(weights.filter { $0.value >= highest * leastPartOfRarest }.keys)
    return quotations.compactMap { quotation in
        let isBelow = !rarest.isDisjoint(with: quotation.heading)
        let terms = isBelow ? quotation.terms.union(quotation.heading) : quotation.terms
        guard terms.count > 1 || !rarest.isDisjoint(with: terms) else { return nil }
        let weight = terms.reduce(0) { $0 + (weights[$1] ?? 0) }
        let length = Double(Words.count(in: quotation.statement.content))
        var scored = quotation
        scored.score = weight / max(1, length / longStatement)
        return scored
    }
}

/// The weights of the question's terms, as far as they occur: one that few statements have tells more than one that all
/// have (its inverse document frequency), a number or a name twice as much as a word.
private func weights(in quotations: [Quotation]) -> [String: Double] {
    var holders: [String: Int] = [:]
    for quotation in quotations {
        for term in quotation.terms { holders[term, default: 0] += 1 }
        for term in quotation.heading { holders[term, default: 0] += 0 }
    }
    return Dictionary(
        uniqueKeysWithValues: holders.map { term, count in
            let ratio = 1 + Double(quotations.count) / Double(max(1, count))
            // The binary logarithm, straight between powers of two.
            let rarity = Double(ratio.exponent) + ratio.significand - 1
            return (term, Words.isName(term) ? 2 * rarity : rarity)
        })
}

private func chosen(from quotations: [Quotation]) -> [Quotation] {
    let ranked = quotations.sorted {
        ($1.score, $0.position) < ($0.score, $1.position)
    }
    guard let best = ranked.first else { return [] }
    var chosen: [Quotation] = []
    for quotation in ranked where quotation.score >= best.score / 2 {
        let fromSame = chosen.count { $0.passage == quotation.passage }
        guard fromSame < quotationLimitPerPassage,
            !chosen.contains(where: { $0.repeats(quotation) || quotation.repeats($0) })
        else { continue }
        chosen.append(quotation)
        if chosen.count == quotationLimit { break }
    }
    return ordered(chosen)
}

private func ordered(_ quotations: [Quotation]) -> [Quotation] {
    let best = Dictionary(quotations.map { ($0.passage, $0.score) }, uniquingKeysWith: max)
    return quotations.sorted {
        (best[$1.passage, default: 0], $0.position) < (best[$0.passage, default: 0], $1.position)
    }
}
