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
        /// Paragraphs of markdown with `[n]` after each quotation.
        package var paragraphs: [String]
        /// The numbers that the text refers to, ascending; empty when nothing was found.
        package var cited: [Int]
        /// Words and signs counted; there is no model whose tokens could be.
        package var usage: Usage

        init(paragraphs: [String], cited: [Int], usage: Usage) {
            self.paragraphs = paragraphs
            self.cited = cited
            self.usage = usage
        }

        /// An answer that quotes nothing.
        package init(saying text: String) {
            self.init(
                paragraphs: [text], cited: [],
                usage: Usage(promptTokens: 0, completionTokens: 0, source: .counted))
        }

        /// The whole text.
        package var text: String { paragraphs.joined(separator: "\n\n") }

        /// The answer as a stream: a piece for each paragraph, so that it shows at once.
        package func events() -> [ChatEvent] {
            let pieces = paragraphs.enumerated().map { index, paragraph in
                let text = index == 0 ? paragraph : "\n\n" + paragraph
                return ChatEvent.text(StringLiteral.encode(text).dropFirst().dropLast())
            }
            let end = ChatEvent.choices([ChoiceDelta(finishReason: .stop)])
            return pieces + [end, .usage(usage), .finished, .done]
        }
    }

    /// The honest answer when no passage speaks of the question.
    package static let nothingFound =
        "I found nothing about this in the documents that I may search."

    /// Quotes at most five statements that share rare words with the question. `limit` bounds the
    /// words of the answer, as `max_tokens` does for a model.
    package static func answer(
        to question: String, from passages: [Passage], limit: Int? = nil
    ) -> Answer {
        let terms = Words.terms(ofQuestion: question)
        let quotations = bestQuotations(terms, passages)
        var paragraphs: [String] = []
        var cited: Set<Int> = []
        var length = 0
        for quotation in quotations {
            let text = quoted(quotation)
            length += Words.count(in: text)
            if let limit, length > limit, !paragraphs.isEmpty { break }
            paragraphs.append(text)
            cited.insert(quotation.number)
        }
        if paragraphs.isEmpty { paragraphs = [nothingFound] }
        let read = passages.reduce(Words.count(in: question)) { $0 + Words.count(in: $1.text) }
        let written = paragraphs.reduce(0) { $0 + Words.count(in: $1) }
        return Answer(
            paragraphs: paragraphs, cited: cited.sorted(),
            usage: Usage(promptTokens: read, completionTokens: written, source: .counted))
    }

    /// As a quotation in markdown; the reference to code stands below it.
    private static func quoted(_ quotation: Quotation) -> String {
        let lines = quotation.statement.text.split(
            separator: "\n", omittingEmptySubsequences: false)
        let reference =
            lines.count > 1 ? "\n>\n> [\(quotation.number)]" : " [\(quotation.number)]"
        return lines.map { $0.isEmpty ? ">" : "> " + $0 }.joined(separator: "\n") + reference
    }
}
