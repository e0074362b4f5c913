/// A statement of a passage that may be quoted.
struct Quotation {
    let passage: Extractive.Passage
    /// Place of the passage among all.
    let place: Int
    /// Place among all statements, to keep the order of the text.
    let position: Int
    var statement: Statement
    /// Words of the statement; of rows that are quoted together, those of the longest.
    var words: Int
    /// What it shares with the question.
    let terms: Set<String>
    /// What the heading above it shares with the question.
    let heading: Set<String>
    var score = 0.0

    /// Whether the reader of this one has the other one too.
    func repeats(_ other: Quotation) -> Bool {
        statement.text.contains(other.statement.content)
    }

    /// Whether both are rows of one table that answer alike.
    func isRow(beside other: Quotation) -> Bool {
        place == other.place && terms == other.terms && !terms.isEmpty
            && statement.head != nil && statement.head == other.statement.head
    }

    mutating func join(_ other: Quotation) {
        statement = statement.joined(with: other.statement)
        words = max(words, other.words)
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
    for (place, passage) in passages.enumerated() {
        let heading = terms.intersection(Words.terms(of: passage.heading ?? ""))
        let start = quotations.count
        for statement in Statement.all(of: passage.text, below: passage.opening) {
            let quotation = Quotation(
                passage: passage, place: place, position: quotations.count, statement: statement,
                words: Words.count(in: statement.content),
                terms: terms.intersection(Words.terms(of: statement.content)), heading: heading)
            if let row = quotations[start...].firstIndex(where: quotation.isRow) {
                quotations[row].join(quotation)
            } else {
                quotations.append(quotation)
            }
        }
    }
    return joined(chosen(from: scored(quotations)))
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
        // All that stands below a heading shares what it says.
        let weight = terms.reduce(0) { sum, term in
            sum + (weights[term] ?? 0) * (quotation.terms.contains(term) ? 1 : 0.5)
        }
        var scored = quotation
        scored.score = weight / max(1, Double(quotation.words) / longStatement)
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
        let fromSame = chosen.count { $0.place == quotation.place }
        guard fromSame < quotationLimitPerPassage,
            !chosen.contains(where: { $0.repeats(quotation) || quotation.repeats($0) })
        else { continue }
        chosen.append(quotation)
        if chosen.count == quotationLimit { break }
    }
    return ordered(chosen)
}

private func ordered(_ quotations: [Quotation]) -> [Quotation] {
    let best = Dictionary(quotations.map { ($0.place, $0.score) }, uniquingKeysWith: max)
    return quotations.sorted {
        (best[$1.place, default: 0], $0.position) < (best[$0.place, default: 0], $1.position)
    }
}

/// Rows of one table that follow each other, as one table.
private func joined(_ quotations: [Quotation]) -> [Quotation] {
    quotations.reduce(into: []) { joined, quotation in
        if let last = joined.last, let head = last.statement.head,
            head == quotation.statement.head, last.passage.number == quotation.passage.number,
            last.passage.heading == quotation.passage.heading
        {
            joined[joined.count - 1].join(quotation)
        } else {
            joined.append(quotation)
        }
    }
}
