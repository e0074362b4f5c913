import Providers
import Testing

@Suite("What is quoted") struct ExtractiveRankingTests {
    private func quoted(_ question: String, _ passages: [(heading: String, text: String)])
        -> [String]
    {
        let passages = passages.enumerated().map { index, passage in
            var quotable = Extractive.Passage(number: index + 1, text: passage.text)
            quotable.heading = passage.heading
            return quotable
        }
        return Extractive.answer(to: question, from: passages).paragraphs
    }

    @Test(
        "has the number or the name that is asked for, not only the words around it",
        arguments: [
            ("What does a 502 mean?", "> A 502 says that no worker answered. [2]"),
            ("why do I get a 502?", "> A 502 says that no worker answered. [2]"),
            ("What is drain_timeout?", "> The value `drain_timeout` is ten minutes. [2]"),
        ])
    func names(_ question: String, _ quotation: String) {
        let passages = [
            ("", "These headers mean nothing. Headers mean something here. Others mean it too."),
            ("", "A 502 says that no worker answered. The value `drain_timeout` is ten minutes."),
            (
                "",
                "403 is another error | `GET /api/users/me` tells. Pipes drain by day. A timeout ends it."
            ),
        ]
        #expect(quoted(question, passages) == [quotation])
    }

    @Test("stands below the heading that names the thing, also if that is one word there")
    func headings() {
        let passages = [
            ("Errors", "It never comes back. Go back at once. Step back a bit. All is well."),
            ("Backup", "Dump the database. Keep the pepper apart."),
        ]
        #expect(
            quoted("How do I back up?", passages) == [
                "**Backup**\n\n> Dump the database. [2]", "> Keep the pepper apart. [2]",
            ])
    }

    @Test("stands below its heading, however short it is")
    func shown() {
        let passages = [
            ("Parking <b> [1]", "It is allowed in the yard."), ("Smoking", "Strictly forbidden."),
            ("Dogs", "No."),
        ]
        #expect(
            quoted("Are dogs allowed?", passages) == [
                "**Parking \\<b> \\[1\\]**\n\n> It is allowed in the yard. [1]",
                "**Dogs**\n\n> No. [3]",
            ])
    }

    @Test("says itself what is asked, rather than stand below a heading that does")
    func own() {
        let passages = [
            (
                "Stopping, upgrading",
                "Archway ends at once. Archway hums. To upgrade Archway, restart it."
            )
        ]
        #expect(
            quoted("How do I upgrade Archway?", passages).last
                == "> To upgrade Archway, restart it. [1]")
    }

    @Test("keeps rows of tables apart that stand below different headings")
    func tables() {
        let table = "| a | b |\n|---|---|\n| gate | "
        #expect(
            quoted("gate", [("A", table + "1 |"), ("B", table + "2 |")]) == [
                "**A**\n\n> | a | b |\n> |---|---|\n> | gate | 1 |\n>\n> [1]",
                "**B**\n\n> | a | b |\n> |---|---|\n> | gate | 2 |\n>\n> [2]",
            ])
    }

    @Test("begins with what answers best, after what stands before it in its passage")
    func order() {
        let passages = [
            ("", "Stopped gateways are silent."),
            ("", "Running gateways hum. A stopped gateway finishes what is running."),
        ]
        #expect(
            quoted("What is running in stopped gateways?", passages) == [
                "> Running gateways hum. [2]",
                "> A stopped gateway finishes what is running. [2]",
                "> Stopped gateways are silent. [1]",
            ])
    }

    @Test("has the word in another form")
    func forms() {
        for (question, text) in [
            ("What are tokens?", "A token opens doors."), ("opening it", "They open it."),
            ("Wie viel frei bei einem Umzug?", "Umzüge geben frei."),
            ("Umzüge", "Ein Umzu\u{308}g."),
            ("What does it mean?", "It means nothing here."), ("the meaning", "They mean it well."),
        ] {
            #expect(quoted(question, [("", text)]) == ["> \(text) [1]"])
        }
    }

    @Test("is no list of links, and no long piece where a sentence says the same")
    func noise() {
        let code = "```json\n" + String(repeating: #"{"backup": [1, 2]}"#, count: 30) + "\n```"
        let passages = [
            ("", "[A backup](#backup)\n- [Backup](a.md)\n\nA backup is made each day."),
            ("", code),
        ]
        #expect(quoted("backup", passages) == ["> A backup is made each day. [1]"])
    }
}
