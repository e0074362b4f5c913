import OpenAI
import Providers
import Testing

@Suite struct ExtractiveTests {
    private let passages = [
        Extractive.Passage(
            number: 1,
            text: """
                # Opening hours

                The library opens at nine in the morning on weekdays. On Sundays it stays closed.
                Dr. Meier, e.g., has a key. The garden is green.
                """),
        Extractive.Passage(
            number: 2,
            text: """
                Loans last four weeks.
                - Books can be renewed twice, online or at the desk.
                - A lost book costs 25.50 francs plus its price.
                """),
        Extractive.Passage(number: 3, text: "Die Bücherei öffnet samstags um zehn Uhr."),
    ]

    @Test("code is quoted as it stands, and its number stands below it")
    func code() {
        let text = """
            This makes and installs it.

            ```sh
            make build
              sudo make install
            ```

            Then start the service.
            """
        let answer = Extractive.answer(
            to: "How do I make and install?", from: [.init(number: 1, text: text)])
        #expect(
            answer.paragraphs.contains(
                """
                > ```sh
                > make build
                >   sudo make install
                > ```
                >
                > [1]
                """), "\(answer.paragraphs)")
    }

    @Test("a line that is broken on purpose is joined to the next like any other")
    func brokenLine() {
        let answer = Extractive.answer(
            to: "What is the default value?",
            from: [.init(number: 1, text: "Value: 1 to 100.\\\nDefault: 7.")])
        #expect(
            answer.text.contains("Default: 7.") && !answer.text.contains("\\"), "\(answer.text)")
    }

    @Test(
        "the sentence that answers is quoted with its number",
        arguments: [
            (
                "When does the library open?",
                "The library opens at nine in the morning on weekdays.", 1
            ),
            (
                "How often can I renew books?",
                "Books can be renewed twice, online or at the desk.", 2
            ),
            ("cost of a LOST book", "A lost book costs 25.50 francs plus its price.", 2),
            ("Who has a key, is it Meier?", "Dr. Meier, e.g., has a key.", 1),
            ("Wann öffnet die Bücherei?", "Die Bücherei öffnet samstags um zehn Uhr.", 3),
        ])
    func answers(_ question: String, _ sentence: String, _ number: Int) {
        let answer = Extractive.answer(to: question, from: passages)
        #expect(answer.paragraphs.contains("> \(sentence) [\(number)]"), "\(answer.text)")
    }

    @Test(
        "nothing found is said, without a citation",
        arguments: [
            "What is the capital of Mongolia?", "", "the of and", "???", "a\u{0}b",
        ])
    func nothing(_ question: String) {
        let answer = Extractive.answer(to: question, from: passages)
        #expect(answer.text == Extractive.nothingFound)
        #expect(!answer.text.contains("["))
        #expect(Extractive.answer(to: question, from: []).text == Extractive.nothingFound)
    }

    @Test("the text stays within the passages")
    func honest() {
        let answer = Extractive.answer(to: "books, library, garden and loans", from: passages)
        let all = passages.map(\.text).joined(separator: " ").replacing("\n", with: " ")
        for paragraph in answer.paragraphs {
            #expect(all.contains(paragraph.dropFirst(2).dropLast(4)))
        }
        #expect(answer.paragraphs.count <= 5)
    }

    @Test("a limit on words ends it before a quotation, or within the first, and that is told")
    func limit() {
        func answer(_ limit: Int?, _ question: String = "library books loans") -> Extractive.Answer
        {
            Extractive.answer(to: question, from: passages, limit: limit)
        }
        let whole = answer(nil)
        #expect(whole.paragraphs.count > 1 && !whole.isShortened)
        for limit in 1...whole.usage.completionTokens {
            let short = answer(limit)
            #expect(short.usage.completionTokens <= limit && !short.paragraphs[0].isEmpty)
            #expect(whole.text.hasPrefix(short.text))
            #expect(short.isShortened == (short.text != whole.text))
            let end = short.events().compactMap { event in
                if case .choices(let deltas) = event { deltas.first?.finishReason } else { nil }
            }
            #expect(end == [short.isShortened ? .length : .stop])
        }
        #expect(answer(1).text == ">" && answer(3).text == "> The library")
        #expect(answer(2, "Mongolia").text == "I found")
    }

    @Test("it streams in pieces like a model, counted")
    func stream() throws {
        let answer = Extractive.answer(to: "library books loans", from: passages)
        var draft = ChatDraft()
        var ends: [String] = []
        for event in answer.events() {
            switch event {
            case .text(let escaped): draft.append(escaped)
            case .choices(let deltas): deltas.forEach { draft.append($0) }
            case .usage(let usage):
                #expect(usage.source == .counted && usage.completionTokens > 0)
                #expect(usage.promptTokens > usage.completionTokens)
            case .finished: ends.append("finished")
            case .done: ends.append("done")
            case .origin: Issue.record("no origin")
            }
        }
        #expect(draft.text == answer.text)
        #expect(draft.finishReason == .stop)
        #expect(ends == ["finished", "done"])
    }

    @Test("hostile passages are handled in time")
    func hostile() {
        let text = String(repeating: "library ", count: 50_000)
        let dots = String(repeating: ". ", count: 50_000)
        let answer = Extractive.answer(
            to: "library",
            from: [.init(number: 1, text: text), .init(number: 2, text: dots)])
        #expect(answer.text.utf8.count < 10_000)
    }
}
