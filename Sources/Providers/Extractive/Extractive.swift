import JSON
package import OpenAI

/// Answers from the knowledge base by quoting it, with no LLM. Pure and deterministic: the same
/// question and passages give the same answer.
package enum Extractive {
    /// The name that the configuration uses.
    package static let kind = "extractive"

    /// A retrieved passage, under the number by which the answer cites it.
    package struct Passage: Sendable {
        /// From 1.
        package var number: Int
        /// The whole text.
        package var text: String
        /// The heading right above it.
        package var heading: String?
        /// The lines above it without which it cannot be read, where it begins in the middle of fenced code or of a
        /// table: the one that opened the code, or the table's headings with the rule below them.
        package var opening: String?

        /// A passage without a heading that begins outside of code and tables.
        package init(number: Int, text: String) {
            self.number = number
            self.text = text
        }
    }

    /// What was found, best first.
    package struct Answer: Sendable {
        /// Markdown: each a quotation with `[n]` after it, or what is said instead.
        package var paragraphs: [String]
        /// Words and signs counted; there is no model whose tokens could be.
        package var usage: Usage
        /// Whether the limit on its words has ended it.
        package var isShortened = false

        /// An answer that quotes nothing.
        package init(saying text: String) { self.init([text]) }

        init(_ paragraphs: [String]) {
            self.paragraphs = paragraphs
            usage = Usage(promptTokens: 0, completionTokens: 0, source: .counted)
        }

        mutating func shorten(to limit: Int) {
            var words = 0
            let fitting = paragraphs.prefix { paragraph in
                words += Words.count(in: paragraph)
                return words <= limit
            }
            isShortened = fitting.count < paragraphs.count
            paragraphs =
                fitting.isEmpty
                ? paragraphs.prefix(1).map { Words.beginning(of: $0, words: limit) }
                : Array(fitting)
        }

        /// The whole text.
        package var text: String { paragraphs.joined(separator: "\n\n") }

        /// The answer as a stream: a piece for each paragraph, so that it shows at once.
        package func events() -> [ChatEvent] {
            let pieces = paragraphs.enumerated().map { index, paragraph in
                let text = index == 0 ? paragraph : "\n\n" + paragraph
                return ChatEvent.text(StringLiteral.encode(text).dropFirst().dropLast())
            }
            let end = ChatEvent.choices([ChoiceDelta(finishReason: isShortened ? .length : .stop)])
            return pieces + [end, .usage(usage), .finished, .done]
        }
    }

    /// The honest answer when no passage speaks of the question.
    package static let nothingFound =
        "I found nothing about this in the documents that I may search."

    /// Quotes at most five statements that share rare words with the question, each below its heading. `limit` bounds
    /// the words of the answer, as `max_tokens` does for a model: it ends before the quotation that does not fit, and
    /// within the first one.
    package static func answer(
        to question: String, from passages: [Passage], limit: Int? = nil
    ) -> Answer {
        let terms = Words.terms(ofQuestion: question)
        let paragraphs = paragraphs(bestQuotations(terms, passages))
        let read = passages.reduce(Words.count(in: question)) { $0 + Words.count(in: $1.text) }
        var answer = paragraphs.isEmpty ? Answer(saying: nothingFound) : Answer(paragraphs)
        if let limit { answer.shorten(to: limit) }
        answer.usage = Usage(
            promptTokens: read,
            completionTokens: answer.paragraphs.reduce(0) { $0 + Words.count(in: $1) },
            source: .counted)
        return answer
    }

    /// A heading stands once above all that is quoted from below it.
    private static func paragraphs(_ quotations: [Quotation]) -> [String] {
        var last: Quotation?
        return quotations.map { quotation in
            defer { last = quotation }
            let passage = quotation.passage
            guard let heading = passage.heading, !heading.isEmpty,
                passage.number != last?.passage.number || heading != last?.passage.heading
            else { return quoted(quotation) }
            let shown = heading.quotable.replacing("<", with: "\\<")
            return "**\(shown)**\n\n\(quoted(quotation))"
        }
    }

    /// As a quotation in markdown; the reference to code stands below it.
    private static func quoted(_ quotation: Quotation) -> String {
        let lines = quotation.statement.text.split(
            separator: "\n", omittingEmptySubsequences: false)
        let number = quotation.passage.number
        let reference = lines.count > 1 ? "\n>\n> [\(number)]" : " [\(number)]"
        return lines.map { $0.isEmpty ? ">" : "> " + $0 }.joined(separator: "\n") + reference
    }
}
