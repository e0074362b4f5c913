import Providers
import Testing

@Suite("What is quoted stands for itself")
struct ExtractiveStatementTests {
    private func quotes(_ question: String, _ text: String, below opening: String? = nil)
        -> [String]
    {
        var passage = Extractive.Passage(number: 1, text: text)
        passage.opening = opening
        return Extractive.answer(to: question, from: [passage]).paragraphs
    }

    @Test("a row of a table is quoted below its headings, which are no answer by themselves")
    func table() {
        let text = """
            | Books renewed | Books lost |
            |:--|--:|
            | twice | 25 francs |
            | on Sundays | nothing |

            | Garden | Key |
            |---|---|
            | green | none |
            """
        let row = """
            > | Books renewed | Books lost |
            > |:--|--:|
            > | on Sundays | nothing |
            >
            > [1]
            """
        #expect(quotes("What about Sundays?", text) == [row])
        #expect(quotes("What do lost books cost?", text) == [Extractive.nothingFound])
        #expect(quotes("Is it green?", text).joined().contains("> | Garden | Key |"))
    }

    @Test("rows of one table are quoted as one, also where it begins above the passage")
    func rows() {
        let text = "on Sundays | nothing |\n| on Mondays | much |\n| never | x |\n| in June | all |"
        #expect(
            quotes("What about Mondays in June?", text, below: "| when | what |\n|---|---|") == [
                """
                > | when | what |
                > |---|---|
                > | on Mondays | much |
                > | in June | all |
                >
                > [1]
                """
            ])
        // Of a row that is cut only the end is here.
        #expect(
            quotes("What about Sundays?", text, below: "| when | what |\n|---|---|")
                == ["> on Sundays | nothing | [1]"])
        #expect(quotes("What about Mondays?", text) == ["> | on Mondays | much | [1]"])
        #expect(
            quotes("What about Mondays?", "on Mondays | much", below: "when | what\n-|-")
                == ["> when | what\n> -|-\n> on Mondays | much\n>\n> [1]"])
    }

    @Test("a sentence that introduces code is quoted with it")
    func code() {
        let text = """
            Read this first. Make the service start with the machine:

            ```sh
            systemctl enable --now archway
            ```

            The garden is green.
            """
        let quoted = """
            > Make the service start with the machine:
            >
            > ```sh
            > systemctl enable --now archway
            > ```
            >
            > [1]
            """
        #expect(quotes("How does the service start?", text) == [quoted])
        #expect(quotes("What does systemctl enable do?", text) == [quoted])
    }

    @Test("a document's own numbers in brackets refer to nothing, but in code they are code")
    func references() {
        #expect(
            quotes("Is the garden green?", "The garden [2] is green [3][45], `see[6]` it.")
                == ["> The garden \\[2\\] is green \\[3\\]\\[45\\], `see[6]` it. [1]"])
        let text = "| garden [1] | b |\n|--|--|\n| green [2] | `[3]` |"
        let row = "> | garden \\[1\\] | b |\n> |--|--|\n> | green \\[2\\] | `[3]` |\n>\n> [1]"
        #expect(quotes("Is it green?", text) == [row])
        // A backtick here and one there make no code of what stands between.
        let list = "Is it green:\n- a ` b [2]\n- c ` d"
        #expect(
            quotes("Is it green?", list) == [
                "> Is it green:\n>\n> - a  b \\[2\\]\n> - c  d\n>\n> [1]"
            ])
    }

    @Test("links that lead on within the document are words, others stay")
    func links() {
        #expect(
            quotes(
                "Is the garden green?",
                "The [garden](#a) is ![green](b.png), see [all](https://c.d) `[e](f)`.")
                == ["> The garden is green, see [all](https://c.d) `[e](f)`. [1]"])
    }

    @Test("an item that introduces code is quoted with it, and not with other items")
    func item() {
        let text = "1. Start the service:\n   ```\n   up\n   ```\n2. Close the garden.\n"
        let quoted = "> Start the service:\n>\n> ```\n> up\n> ```\n>\n> [1]"
        #expect(quotes("How does the service start?", text) == [quoted])
        #expect(quotes("Is the garden closed?", text) == ["> Close the garden. [1]"])
        let bare = "- Start the service:\n- Close the garden.\n"
        #expect(quotes("How does the service start?", bare) == ["> Start the service: [1]"])
    }

    @Test("a sentence that introduces a list or a table is quoted with it, and each once")
    func list() {
        let text = """
            Bring with you:

            1. a card
               with your name,
            2. ten francs.

            The garden is green.
            """
        let quoted = """
            > Bring with you:
            >
            > 1. a card with your name,
            > 2. ten francs.
            >
            > [1]
            """
        #expect(quotes("What do I bring?", text) == [quoted])
        #expect(quotes("Is my name on the card?", text) == [quoted])
        let table = "Prices you pay:\n\n| what | francs |\n|--|--|\n| a card | ten |\n"
        #expect(
            quotes("Which prices?", table) == [
                """
                > Prices you pay:
                >
                > | what | francs |
                > |--|--|
                > | a card | ten |
                >
                > [1]
                """
            ])
    }

    @Test("numbered steps go with the sentence above them, with all that belongs to a step")
    func steps() {
        let text = """
            To order a missing part, follow the steps.

            1. Open the form:
               - on Mondays the blue one,
               - else the red one.
            2. Sign it.

               Nobody may sign for you.

               ```sh
               sign --now
               ```
            3. Send it to HR.

            The garden is green.
            """
        let quoted = """
            > To order a missing part, follow the steps.
            >
            > 1. Open the form:
            >    - on Mondays the blue one,
            >    - else the red one.
            > 2. Sign it.
            >    Nobody may sign for you.
            >    ```sh
            >    sign --now
            >    ```
            > 3. Send it to HR.
            >
            > [1]
            """
        #expect(quotes("How do I order a part?", text) == [quoted])
        #expect(quotes("Is it green?", text) == ["> The garden is green. [1]"])
        let nested = "- Which form:\n  - the blue one\n  - the red one\n- Sign it."
        #expect(
            quotes("Which form?", nested)
                == ["> Which form:\n>\n> - the blue one\n> - the red one\n>\n> [1]"])
    }

    @Test("rows that answer alike are quoted together")
    func alike() {
        let rows = (1...40).map { "| part \($0) | \($0.isMultiple(of: 3) ? "retired" : "sold") |" }
        let text = "| part | state |\n|--|--|\n" + rows.joined(separator: "\n")
        let quoted = quotes("Which are retired?", text)
        #expect(quoted.count == 1 && quoted[0].count { $0 == "\n" } == 2 + 13 + 1)
        #expect(quoted[0].contains("> | part 3 | retired |\n> | part 6 | retired |\n"))
    }

    @Test("of a long list the beginning is quoted, and each item on its own")
    func longList() throws {
        let items = (1...100).map { "- the book number\($0) of the shelf" }
        let text = "Books to read:\n" + items.joined(separator: "\n")
        let introduced = try #require(quotes("What can I read?", text).first)
        #expect(introduced.hasPrefix("> Books to read:\n>\n> - the book number1 of"))
        #expect(introduced.hasSuffix("\n> …\n>\n> [1]"))
        #expect((15...25).contains(introduced.split(separator: "\n").count), "\(introduced)")
        #expect(quotes("Where is number77?", text) == ["> the book number77 of the shelf [1]"])
        // What the introduction shows already is not shown again.
        let both = quotes("Which book of the shelf may I read, number2?", text)
        #expect(both.count { $0.contains("number2 ") } == 1, "\(both)")
    }

    @Test("a heading parts what it stands between, in both of its forms")
    func headings() {
        for heading in ["# Garden books", "Garden books\n============", "Garden books\n---"] {
            let text = "Bring with you:\n\n\(heading)\n\n- ten francs and a key\n"
            #expect(quotes("What do I bring?", text) == ["> Bring with you: [1]"], "\(heading)")
            #expect(quotes("Garden books?", text) == [Extractive.nothingFound], "\(heading)")
        }
        #expect(
            quotes("Is it green?", "The garden is green.\n\n---\n\nBooks.")
                == ["> The garden is green. [1]"])
    }

    @Test("lines of a quotation and numbers within a sentence go on")
    func joined() {
        #expect(
            quotes("Is it green?", "> The garden\n> is green.") == ["> The garden is green. [1]"])
        #expect(
            quotes("When was it green?", "The garden was green in\n2019. It is not now.")
                == ["> The garden was green in 2019. [1]"])
    }
}
