import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    /// What Open WebUI sends, in its order, without Open WebUI. `make test-openwebui` has the real one.
    @Suite("Open WebUI's requests") @LoopActor struct OpenWebUI {
        @Test("A long chat is stored as the tree that its person sees, and nothing beside it")
        func tree() async throws {
            let site = try await Shared.deployment()
            let chat = OpenWebUIChat(site, try await Self.front())
            var place: OpenWebUIChat.Place?
            for turn in 0..<20 {
                let question = chat.ask("canary-prompt question \(turn)", below: place)
                let answer = try await Self.answers(chat, question, turn)
                try await Self.askAside(chat, about: answer, isFirst: turn == 0)
                place = answer
            }
            let isStored = try await waitUntil { try await chat.stored() == chat.seen }
            let (stored, seen) = (try await chat.stored(), chat.seen)
            #expect(isStored, "\(Set(stored).symmetricDifference(seen).sorted())")
            #expect(stored.count == 63)
            let conversations = "conversations WHERE external_id = '\(chat.id)'"
            #expect(try await site.sql("SELECT count(*) FROM \(conversations)") == "1")
            let sides = try await site.sql(
                """
                SELECT count(*) FROM usage JOIN users u ON u.id = user_id
                WHERE kind = 'side' AND u.name = '\(chat.person.id)'
                """)
            #expect(Int(sides) == chat.sideRequests && chat.sideRequests > 40)
        }

        /// The answer with which the chat goes on, and what happens on the way to it.
        private static func answers(
            _ chat: OpenWebUIChat, _ question: OpenWebUIChat.Place, _ turn: Int
        ) async throws -> OpenWebUIChat.Place {
            let answer = try await chat.answer(question, by: "flat-20")
            switch turn {
            case 2:  // Regenerated twice.
                _ = try await chat.answer(question, by: "flat-20")
                return try await chat.answer(question, by: "flat-20")
            case 4:  // Back to the first of two answers.
                _ = try await chat.answer(question, by: "flat-20")
                return answer
            case 6, 7:  // The question is edited.
                let edited = chat.ask("canary-prompt edited \(turn)", below: chat.parent(question))
                return try await chat.answer(edited, by: "flat-20")
            case 9:  // A round of one tool, then one of several.
                let once = try await chat.answerByTools(question, by: "agent-1")
                let next = chat.ask("canary-prompt And the time?", below: once)
                return try await chat.answerByTools(next, by: "agent-2")
            case 11:  // Two models answer at once.
                let models = ["flat-20", "paced-20-100"]
                let both = try await concurrently(2) {
                    try await chat.answer(question, by: models[$0])
                }
                return both[1]
            case 13:  // Stopped, and asked on.
                return try await chat.stop(question, by: "hang-after-3", pieces: 3)
            case 15:  // Stopped, and continued.
                let part = try await chat.stop(question, by: "hang-after-1", pieces: 1)
                return try await chat.goOn(with: part, by: "flat-20")
            case 17:  // Failed in the middle, and regenerated.
                let card = try #require(
                    try await chat.fail(question, by: "cut-after-3").events.last?.json)
                #expect(card.keys == ["error"])
                #expect(card["error"]["message"].string?.isEmpty == false)
                return try await chat.answer(question, by: "flat-20")
            default:
                return answer
            }
        }

        /// What Open WebUI asks on its own after an answer.
        private static func askAside(
            _ chat: OpenWebUIChat, about answer: OpenWebUIChat.Place, isFirst: Bool
        ) async throws {
            let names = isFirst ? ["title", "tags", "follow_up", "query"] : ["tags", "follow_up"]
            let tasks = OpenWebUITask.all.filter { task in
                names.contains { task.name.hasPrefix($0) }
            }
            let replies = try await concurrently(tasks.count) {
                try await chat.ask(tasks[$0], about: answer, by: "prompted")
            }
            for reply in replies {
                #expect(reply.status == 200 && reply.json["choices"].array.count == 1)
            }
        }

        @Test(
            "What it asks on its own is answered plainly and leaves nothing, told by the header or by its form",
            arguments: OpenWebUITask.all + OpenWebUITask.all.map(\.named))
        func sideRequests(task: OpenWebUITask) async throws {
            try await Knowledge.withHandbook { site, _ in
                let chat = OpenWebUIChat(site, try await Self.front())
                let question = chat.ask("How many days of vacation are there? [1]", below: nil)
                let reply = try await chat.ask(task, about: question, by: "informed")
                #expect(reply.status == 200)
                #expect(reply.head["x-conversation-id"] == nil)
                #expect(reply.json["choices"].array.count == 1)
                #expect(!reply.text.contains("passage") && !reply.text.contains("citation"))
                #expect(reply.content.contains("[1]"), "its text is left alone")
                #expect(try await chat.stored() == [])
                // A merged answer may be streamed, and only the header tells it then.
                guard task.isNamed else { return }
                var streamed = task
                streamed.isStream = true
                let stream = try await chat.ask(streamed, about: question, by: "informed")
                #expect(stream.isDone && !stream.text.contains("event\":"))
                #expect(try await chat.stored() == [])
            }
        }

        @Test("A question with Open WebUI's own context around it is a person's question")
        func context() async throws {
            let site = try await Shared.deployment()
            let chat = OpenWebUIChat(site, try await Self.front())
            let text =
                "### Task:\nRespond to the user query using the provided context\n<context>\n"
                + "<source id=\"1\">canary-document</source>\n</context>\ncanary-prompt What is it?"
            let question = chat.ask(text, below: nil)
            _ = try await chat.answer(question, by: "echo")
            #expect(try await chat.stored() == chat.seen)
        }

        @Test("Sources come as events; the text with their numbers goes on as the same answer")
        func sources() async throws {
            try await Knowledge.withHandbook { site, _ in
                let chat = OpenWebUIChat(site, try await Self.front())
                let question = chat.ask("canary-prompt vacation days [1] and [7] end", below: nil)
                let request = chat.request(chat.branch(to: question), "cites")
                let events = try await chat.send(request).reply().events.map(\.json)
                let source = events.filter { $0["event"]["type"].string == "source" }
                #expect(source.count == 1)
                #expect(source.first?["choices"].array.isEmpty == true)
                #expect(!events.contains { $0["choices"][0]["delta"]["annotations"].exists })
                // The same once more: an identical answer is the same turn.
                let answer = try await chat.answer(question, by: "cites")
                #expect(chat.text(at: answer) == "canary-prompt vacation days [1] and  end")
                let next = chat.ask("canary-prompt Thank you", below: answer)
                _ = try await chat.answer(next, by: "echo")
                #expect(try await chat.stored() == chat.seen)
            }
        }

        @Test(
            "An error before the first word has the shape that its card shows, and the chat goes on"
        )
        func card() async throws {
            let site = try await Shared.deployment()
            let chat = OpenWebUIChat(site, try await Self.front())
            let question = chat.ask("canary-prompt What is it?", below: nil)
            for (model, code) in [
                ("dead", "provider_unreachable"), ("status-429", "provider_rate_limited"),
                ("late", "provider_timeout"), ("none", "model_not_found"),
            ] {
                let reply = try await chat.send(
                    chat.request(chat.branch(to: question), model)
                ).reply()
                #expect(reply.status >= 400)
                #expect(reply.head["content-type"] == "application/json")
                #expect(reply.json.keys == ["error"], "a member `detail` would be shown instead")
                #expect(reply.error["code"].string == code)
            }
            let answer = try await chat.answer(question, by: "echo")
            let next = chat.ask("canary-prompt And now?", below: answer)
            _ = try await chat.answer(next, by: "echo")
            let stored = try await chat.stored()
            #expect(stored.filter { $0.hasSuffix("(completed)") } == chat.seen)
            #expect(stored.filter { $0.hasSuffix("(failed)") }.count == 3, "\(stored)")
        }

        @Test("Temporary chats and channels are answered for their person, and not stored")
        func passing() async throws {
            let site = try await Shared.deployment()
            for form in ["local:", "temporary:", "channel:"] {
                let id = form + UUID().uuidString
                let chat = OpenWebUIChat(site, try await Self.front(), id: id)
                let question = chat.ask("canary-prompt passing", below: nil)
                _ = try await chat.answer(question, by: "echo")
                #expect(try await chat.stored() == [])
                let requests = try await site.sql(
                    """
                    SELECT count(*) FROM usage JOIN users u ON u.id = user_id
                    WHERE u.name = '\(chat.person.id)'
                    """)
                #expect(requests == "1")
            }
        }

        @Test(
            "A history with several megabytes of pictures arrives as it is, and each is stored once"
        )
        func pictures() async throws {
            var plan = DeploymentPlan()
            plan.bodyLimit = "32 MiB"
            try await withDeployment(plan) { site, _ in
                let front = try await site.makeUser(role: "user", "--scopes", "*,assert_user")
                let chat = OpenWebUIChat(site, front)
                var place: OpenWebUIChat.Place?
                for number in 0..<4 {
                    let question = chat.ask(Self.picture(number), below: place)
                    place = try await chat.answer(question, by: "flat-20")
                    let sent = try #require(site.questions.last?.body)
                    #expect(sent.count > (number + 1) * Self.pictureSize)
                    let urls = Tree(sent)["messages"].array.flatMap { $0["content"].array }
                        .compactMap { $0["image_url"]["url"].string }
                    #expect(urls == (0...number).map(Self.url))
                }
                #expect(try await chat.stored() == chat.seen)
                let size = try await site.sql("SELECT sum(octet_length(content)) FROM turns")
                let stored = try #require(Int(size)) / 4
                #expect(stored > Self.pictureSize && stored < Self.pictureSize + 4000)
            }
        }

        private nonisolated static let pictureSize = 2_000_000

        private static func url(_ number: Int) -> String {
            "data:image/png;base64," + String(repeating: "\(number)AAA", count: pictureSize / 4)
        }

        private static func picture(_ number: Int) -> [[String: Any]] {
            [
                ["type": "text", "text": "canary-prompt picture \(number)"],
                ["type": "image_url", "image_url": ["url": url(number)]],
            ]
        }

        @Test("Of 100 mixed streams at once, each person's chat gets and keeps its own")
        func crowd() async throws {
            let site = try await Shared.deployment()
            let front = try await Self.front()
            let people = (0..<10).map { _ in Person() }
            let chats = (0..<100).map { OpenWebUIChat(site, front, people[$0 % 10]) }
            _ = try await concurrently(chats.count) { number in
                let chat = chats[number]
                let text =
                    "canary-prompt \(number) " + String(repeating: "é\(number) ", count: number)
                let question = chat.ask(text, below: nil)
                let models = ["echo", "ollama-echo", "paced-20-100", "agent-2", "failover"]
                let model = models[number / 10 % models.count]
                let answer =
                    model == "agent-2"
                    ? try await chat.answerByTools(question, by: model)
                    : try await chat.answer(question, by: model)
                if model.hasSuffix("echo") || model == "failover" {
                    #expect(chat.text(at: answer) == text)
                }
                let task = OpenWebUITask.all[number % 3]
                let side = try await chat.ask(task, about: answer, by: "prompted")
                #expect(side.content.contains("canary-prompt \(number) é") || number == 0)
            }
            for chat in chats { #expect(try await chat.stored() == chat.seen) }
        }

        private static let frontEnd = Once {
            try await Shared.deployment().makeUser(role: "user", "--scopes", "*,assert_user")
        }

        /// Open WebUI, which asks for everybody.
        private static func front() async throws -> User { try await frontEnd.value }
    }
}
