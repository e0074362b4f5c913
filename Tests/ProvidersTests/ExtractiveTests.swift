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
        #expect(answer.cited == [1])
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
        #expect(answer.cited.contains(number))
    }

    @Test(
        "nothing found is said, without a citation",
        arguments: [
            "What is the capital of Mongolia?", "", "the of and", "???", "a\u{0}b",
        ])
    func nothing(_ question: String) {
        let answer = Extractive.answer(to: question, from: passages)
        #expect(answer.text == Extractive.nothingFound)
        #expect(answer.cited.isEmpty)
        #expect(Extractive.answer(to: question, from: []).text == Extractive.nothingFound)
    }

    @Test("only what is quoted is cited, and the text stays within the passages")
    func honest() {
        let answer = Extractive.answer(to: "books, library, garden and loans", from: passages)
        let numbers = Set(
            answer.paragraphs.compactMap { $0.dropLast().last.flatMap { Int(String($0)) } })
        #expect(numbers == Set(answer.cited))
        let all = passages.map(\.text).joined(separator: " ").replacing("\n", with: " ")
        for paragraph in answer.paragraphs {
            #expect(all.contains(paragraph.dropFirst(2).dropLast(4)))
        }
        #expect(answer.paragraphs.count <= 5)
    }

    @Test("a limit on words shortens, but one quotation stays")
    func limit() {
        let long = Extractive.answer(to: "library books loans", from: passages)
        let short = Extractive.answer(to: "library books loans", from: passages, limit: 1)
        #expect(long.paragraphs.count > 1)
        #expect(short.paragraphs.count == 1)
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
