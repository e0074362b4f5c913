import Providers
import Testing

@Suite("Quotations of code") struct ExtractiveCodeTests {
    private func quotations(
        _ question: String, _ text: String, within fence: String? = nil
    ) -> [String] {
        var passage = Extractive.Passage(number: 1, text: text)
        passage.opening = fence
        return Extractive.answer(to: question, from: [passage]).paragraphs
    }

    private let end = """
        DELETE FROM conversations
          WHERE updated_at < now();
        ```

        Stored completions go with their conversations.
        """

    @Test("show that code begins above the passage, and no prose as code")
    func beginning() {
        #expect(
            quotations("delete old conversations", end, within: "```sql") == [
                """
                > ```sql
                > …
                > DELETE FROM conversations
                >   WHERE updated_at < now();
                > ```
                >
                > [1]
                """
            ])
        #expect(
            quotations("What goes with stored completions?", end, within: "```sql") == [
                "> Stored completions go with their conversations. [1]"
            ])
        #expect(
            quotations("completions", "```\nStored completions go.", within: "~~~") == [
                "> ````\n> …\n> ```\n> Stored completions go.\n> …\n> ````\n>\n> [1]"
            ])
    }

    @Test("show that code goes on below the passage")
    func ending() {
        #expect(
            quotations("install", "Do so.\n\n```sh\nmake install\nmake") == [
                "> ```sh\n> make install\n> make\n> …\n> ```\n>\n> [1]"
            ])
        #expect(
            quotations("install", "make install\nmake", within: "```sh") == [
                "> ```sh\n> …\n> make install\n> make\n> …\n> ```\n>\n> [1]"
            ])
    }

    @Test("leave no room for code that would hide their number")
    func fences() {
        let examples = [
            ("~~~sh\ninstall `a ```b\n~~~", "> ````sh\n> install `a ```b\n> ````\n>\n> [1]"),
            ("````\ninstall\n```\n````", "> ````\n> install\n> ```\n> ````\n>\n> [1]"),
            (
                "  ```\n  install it\n    all\n  ```",
                "> ```\n> install it\n>   all\n> ```\n>\n> [1]"
            ),
        ]
        for (text, quotation) in examples {
            #expect(quotations("install", text) == [quotation])
        }
    }

    @Test("end no sentence within code, and drop a backtick that nothing answers")
    func inline() {
        let examples = [
            (
                "All rows go in one `INSERT … SELECT` at last. It is over.",
                "All rows go in one `INSERT … SELECT` at last."
            ),
            ("All rows go in one `INSERT", "All rows go in one INSERT"),
            ("rows` go there. Never mind the rest.", "rows go there."),
            ("The `rows` of ``a`b`` and ``c` rest", "The `rows` of ``a`b`` and c rest"),
        ]
        for (text, sentence) in examples {
            #expect(quotations("rows", text) == ["> \(sentence) [1]"])
        }
    }
}
