import HTTP
import OpenAI
import Testing

@testable import Gateway

@Suite("What a front end asks on its own")
struct SideRequestTests {
    private static let recogniser = SideRequest(
        headers: Configuration().taskHeaders, prefixes: Configuration().sideRequestPrefixes)

    /// The beginnings of Open WebUI's templates, with the history below them where they have one.
    private static let tasks: [(name: String, text: String)] = [
        ("title", "### Task:\nGenerate a concise, 3-5 word title with an emoji" + history),
        ("tags", "### Task:\nGenerate 1-3 broad tags categorizing the main themes" + history),
        ("follow-ups", "### Task:\nSuggest 3-5 relevant follow-up questions" + history),
        ("query", "### Task:\nAnalyze the chat history to determine the necessity" + history),
        ("image", "### Task:\nGenerate a detailed prompt for am image generation task" + history),
        ("completion", "### Task:\nYou are an autocompletion system." + history),
        ("emoji", "Your task is to reflect the speaker's likely facial expression"),
        ("merging", "You have been provided with a set of responses from various models"),
        ("tools", "Available Tools: [{\"name\":\"weather\"}]\nReturn JSON."),
    ]
    private static let history =
        "\n### Chat History:\n<chat_history>\nUSER: Hi\nASSISTANT: Hello\n</chat_history>"

    private static func isSide(
        _ messages: String, _ more: String = "", _ fields: Fields = [:]
    ) throws -> Bool {
        recogniser.recognises(try .make(messages, more), fields)
    }

    private static func message(_ role: String, _ text: String) -> String {
        let quoted = text.replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return #"{"role":"\#(role)","content":"\#(quoted)"}"#
    }

    @Test("is recognised in each of its shapes, with and without instructions in front")
    func shapes() throws {
        for task in Self.tasks {
            let message = Self.message("user", task.text)
            #expect(try Self.isSide(message), "\(task.name)")
            let part = #""content":[{"type":"text","text":"#
            let parts = message.replacing(#""content":"#, with: part).dropLast() + "}]}"
            #expect(try Self.isSide(String(parts)), "\(task.name)")
            for role in ["system", "developer"] {
                let persona = Self.message(role, "You are a pirate.")
                #expect(try Self.isSide("\(persona),\(message)"), "\(task.name)")
            }
            #expect(try Self.isSide(message, #","stream":false"#))
        }
    }

    @Test("is recognised by its list of tools, also after a model's own words")
    func toolLists() throws {
        let question = Self.message("user", "Query: History:\nUSER: Is it raining?")
        for list in ["Available Tools: []\nReturn", "You are a pirate.\nAvailable Tools: []"] {
            #expect(try Self.isSide("\(Self.message("system", list)),\(question)"))
        }
        let talk = Self.message("system", "Say which Available Tools: you know.")
        #expect(try !Self.isSide("\(talk),\(question)"))
    }

    @Test("is not what people write, although it begins alike")
    func people() throws {
        let ordinary = [
            "Hello", "### Task: write my essay", "### Task:\nSummarise <chat>",
            " ### Task:" + Self.history, "Please: ### Task:" + Self.history,
            "### task:" + Self.history, "Which Available Tools: are there?", Self.history,
        ]
        for text in ordinary { #expect(try !Self.isSide(Self.message("user", text)), "\(text)") }
    }

    @Test("is never streamed, and has one message besides instructions")
    func form() throws {
        for task in Self.tasks {
            let message = Self.message("user", task.text)
            #expect(try !Self.isSide(message, #","stream":true"#))
            let turns = [Self.message("user", "Hi"), Self.message("assistant", "Hello"), message]
            #expect(try !Self.isSide(turns.joined(separator: ",")))
        }
    }

    @Test("is whatever a task header names, streamed or not; an empty one names nothing")
    func headers() throws {
        let message = Self.message("user", "Hello")
        for name in ["x-openwebui-task", "X-OpenWebUI-Task", "X-Archway-Task"] {
            #expect(try Self.isSide(message, "", [name: "title_generation"]))
            #expect(try Self.isSide(message, #","stream":true"#, [name: "title_generation"]))
            #expect(try !Self.isSide(message, "", [name: ""]))
            #expect(try !Self.isSide(message, "", [name: "{{TASK}}"]))
        }
        #expect(try !Self.isSide(message, "", ["X-Other-Task": "title_generation"]))
    }

    @Test("is recognised as configured")
    func configured() throws {
        let own = SideRequest(headers: ["X-Mine"], prefixes: ["Titel:"])
        let request = try ChatCompletionRequest.make(Self.message("user", "Titel: bitte"))
        #expect(own.recognises(request, [:]))
        let task = try ChatCompletionRequest.make(Self.message("user", Self.tasks[0].text))
        #expect(!own.recognises(task, [:]))
        #expect(own.recognises(task, ["x-mine": "1"]))
        #expect(!own.recognises(task, ["X-OpenWebUI-Task": "1"]))
    }
}

@Suite("A conversation's name")
struct RecallTests {
    private static let headers = ["X-OpenWebUI-Chat-Id", "X-Chat"]

    @Test("comes from the first header that has one, unless the chat is a passing one")
    func externalID() throws {
        let cases: [(Fields, String?)] = [
            ([:], nil), (["x-openwebui-chat-id": ""], nil), (["X-OpenWebUI-Chat-Id": "a"], "a"),
            (["X-Chat": "b"], "b"), (["X-Chat": "b", "X-OpenWebUI-Chat-Id": "a"], "a"),
            (["X-Chat": "b", "X-OpenWebUI-Chat-Id": ""], "b"), (["X-Other": "c"], nil),
            (["X-Chat": "local:1"], nil), (["X-Chat": "temporary:1"], nil),
            (["X-Chat": "channel:1"], nil), (["X-Chat": "locality"], "locality"),
            (["X-Chat": "Réunion №1 / Ä?"], "Réunion №1 / Ä?"),
            (["X-Chat": String(repeating: "é", count: 200)], String(repeating: "é", count: 200)),
        ]
        for (fields, expected) in cases {
            #expect(try Recall.externalID(fields, headers: Self.headers) == expected)
        }
    }

    @Test(
        "has at most 200 characters, and could be taken for no other",
        arguments: [
            String(repeating: "a", count: 201), "e" + String(repeating: "\u{301}", count: 200),
            // What a byte is that is no UTF-8.
            "a\u{FFFD}", "local:\u{FFFD}", "\u{1}", "a\u{7F}", "a\u{85}b",
        ])
    func unfit(name: String) {
        do throws(APIError) {
            _ = try Recall.externalID(["X-Chat": name], headers: Self.headers)
            Issue.record("the name was accepted")
        } catch {
            #expect(error.status == 400 && error.param == "X-Chat")
        }
    }
}
