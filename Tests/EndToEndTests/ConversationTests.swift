import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Conversations") @LoopActor struct Conversations {
        @Test("64 requests at once with one new chat id make one conversation, and every turn once")
        func race() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let replies = try await concurrently(64) { number in
                let chat = Chat("echo", "canary-prompt number \(number)").inChat("race")
                return try await site.answer(
                    chat.with { $0.isStream = number.isMultiple(of: 2) }, user)
            }
            #expect(replies.allSatisfy { $0.status == 200 })
            let ids = Set(replies.map { $0.head["x-conversation-id"] ?? "none" })
            #expect(ids.count == 1 && !ids.contains("none"))
            #expect(try await Self.count(site, "race") == "1|128|65|128")
            // Both workers took part, or this proves less than it says.
            let processes = await site.log.processes(of: replies.map(\.requestID))
            #expect(Set(processes.values).count == 2)
        }

        @Test("64 identical requests at once leave one question and one answer")
        func repetition() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let replies = try await concurrently(64) { number in
                try await site.answer(
                    Chat("echo").inChat("repetition").with {
                        $0.isStream = number.isMultiple(of: 2)
                    }, user)
            }
            #expect(replies.allSatisfy { $0.status == 200 })
            #expect(try await Self.count(site, "repetition") == "1|2|2|2")
        }

        @Test("What a caller began who left while it was being stored does not stay in progress")
        func leftAtOnce() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await site.withLock(on: "turns", "SHARE ROW EXCLUSIVE") {
                let chat = Chat("echo").streamed.inChat("left-at-once").event("left-at-once")
                let call = try site.chat(chat, user)
                #expect(try await site.awaited("turns") != nil)
                call.leave()
                #expect(await waitUntil { site.hasGivenUp("left-at-once") })
            }
            var statuses = ""
            let isEnded = try await waitUntil {
                statuses = try await site.sql(
                    """
                    SELECT string_agg(t.status, ' ' ORDER BY t.position) FROM turns t
                    JOIN conversations c ON c.id = t.conversation_id
                    WHERE c.external_id = 'left-at-once'
                    """)
                return statuses == "completed incomplete"
            }
            #expect(isEnded, "\(statuses)")
        }

        @Test("Another user's chat of the same id is another conversation")
        func owners() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let other = try await site.makeUser()
            let mine = try await site.answer(Chat("echo").inChat("shared"), user)
            let theirs = try await site.answer(Chat("echo").inChat("shared"), other)
            let again = try await site.answer(Chat("echo").inChat("shared"), user)
            let names = [mine, theirs, again].map { $0.head["x-conversation-id"] }
            #expect(names[0] != nil && names[0] != names[1] && names[0] == names[2])
            #expect(try await Self.count(site, "shared") == "2|4|2|4")
        }

        @Test("Going on extends the branch; regenerating, editing and continuing make new ones")
        func branches() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            func say(_ messages: [[String: Any]], _ model: String = "flat-20") async throws
                -> String
            {
                let chat = Chat(model).streamed.inChat("tree").with { $0.messages = messages }
                return try await site.answer(chat, user).content
            }
            func turns() async throws -> String { try await Self.count(site, "tree") }
            let first = Chat.user("canary-prompt first")
            let answer = try await say([first])
            #expect(try await turns() == "1|2|2|2")
            // The next question.
            let talk = [first, Chat.assistant(answer), Chat.user("canary-prompt second")]
            let second = try await say(talk)
            #expect(try await turns() == "1|4|4|4")
            // The same question again: another answer beside the first one.
            let regenerated = try await say(talk)
            #expect(regenerated != second)
            #expect(try await turns() == "1|5|4|5")
            // The question in other words.
            _ = try await say([first, Chat.assistant(answer), Chat.user("canary-prompt edited")])
            #expect(try await turns() == "1|7|5|7")
            // The answer goes on where it stopped.
            _ = try await say(talk + [Chat.assistant(second)])
            #expect(try await turns() == "1|8|6|8")
            // Parts and string are the same message, and instructions are none.
            let parts: [[String: Any]] = [["type": "text", "text": "canary-prompt first"]]
            _ = try await say(
                [
                    ["role": "system", "content": "canary-system"],
                    ["role": "user", "content": parts],
                ])
            #expect(try await turns() == "1|9|6|9")
        }

        @Test("A round of tools is kept turn by turn")
        func tools() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var chat = Chat("tools").inChat("tools")
            chat.members["tools"] = Answers.tools
            let call = try await site.answer(chat, user).json["choices"][0]["message"]
            let id = try #require(call["tool_calls"][0]["id"].string)
            let calls: [[String: Any]] = [
                [
                    "id": id, "type": "function",
                    "function": ["name": "weather", "arguments": #"{"city":"Köln"}"#],
                ]
            ]
            chat.model = "echo"
            chat.messages += [
                ["role": "assistant", "content": NSNull(), "tool_calls": calls],
                ["role": "tool", "tool_call_id": id, "content": "canary-result 17 °C"],
            ]
            #expect(try await site.answer(chat, user).status == 200)
            #expect(try await Self.count(site, "tools") == "1|4|4|4")
            let roles = try await site.sql(
                """
                SELECT string_agg(t.role, ',' ORDER BY t.position) FROM turns t
                JOIN conversations c ON c.id = t.conversation_id WHERE external_id = 'tools'
                """)
            #expect(roles == "user,assistant,tool,assistant")
        }

        @Test("What a front end asks on its own leaves no turn, and none of our instructions")
        func sideRequests() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let task =
                "### Task:\nGenerate a title.\n<chat_history>\ncanary-prompt\n</chat_history>"
            let header = Chat("prompted").inChat("side").with {
                $0.fields.append(("X-OpenWebUI-Task", "title_generation"))
            }
            let shapes = [
                header, header.streamed, Chat("prompted", task).inChat("side"),
                Chat("prompted", "Available Tools: []\nQuery").inChat("side"),
            ]
            for chat in shapes {
                let reply = try await site.answer(chat, user)
                #expect(reply.status == 200)
                #expect(reply.head["x-conversation-id"] == nil)
                let asked = try #require(site.questions.last)
                #expect(asked.model == "echo", "the task model answers")
                #expect(!String(decoding: asked.body, as: UTF8.self).contains("canary-system"))
                let kind = try await site.sql(
                    "SELECT kind FROM usage WHERE request_id = '\(reply.requestID)'")
                #expect(kind == "side")
            }
            #expect(try await Self.count(site, "side") == "0|0|0|0")
            // A person's question is none, and gets our instructions.
            let reply = try await site.answer(Chat("prompted").streamed.inChat("side"), user)
            #expect(reply.content.contains(DeploymentPlan.systemPrompt))
            #expect(try await Self.count(site, "side") == "1|2|2|2")
        }

        @Test(
            "Passing chats store nothing, unless they ask for it; an id that is too long is refused"
        )
        func ids() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let count = "SELECT count(*) FROM turns"
            let before = try await site.sql(count)
            for id in ["local:1", "temporary:1", "channel:1", ""] {
                let reply = try await site.answer(Chat("echo").inChat(id), user)
                #expect(reply.status == 200)
                #expect(reply.head["x-conversation-id"] == nil)
            }
            _ = try await site.answer(Chat("echo"), user)
            #expect(try await site.sql(count) == before)
            let kept = try await site.answer(Chat("echo").with { $0.members["store"] = true }, user)
            #expect(kept.head["x-conversation-id"] != nil)
            for character in ["x", "é"] {
                let id = String(repeating: character, count: 200)
                #expect(try await site.answer(Chat("echo").inChat(id), user).status == 200)
                let long = try await site.answer(Chat("echo").inChat(id + character), user)
                Expected(400, "invalid_value", param: "X-OpenWebUI-Chat-Id").check(long)
            }
        }

        @Test("No answer ends before it is durable", arguments: [true, false])
        func durability(isStream: Bool) async throws {
            let site = try await Shared.deployment()
            func id(_ number: Int) -> String { "durable-\(isStream)-\(number)" }
            let (shown, _) = try await expectDurable(site, table: "turns") { number in
                Chat("paced-20-100").inChat(id(number)).with { $0.isStream = isStream }
            } begun: {
                try await Self.count(site, id($0)) == "1|2|2|1"
            }
            // It may have taken its way around a lock that was held for too long.
            let isStored = try await waitUntil {
                try await Self.count(site, id(shown)) == "1|2|2|2"
            }
            #expect(isStored)
        }

        /// Of the conversations of this id: how many, turns, turns of different parents and hash, and complete ones.
        private static func count(_ site: Deployment, _ id: String) async throws -> String {
            try await site.sql(
                """
                SELECT count(DISTINCT c.id), count(t.id),
                    count(DISTINCT (coalesce(t.parent_hash, ''), t.role)),
                    count(*) FILTER (WHERE t.status = 'completed')
                FROM conversations c LEFT JOIN turns t ON t.conversation_id = c.id
                WHERE c.external_id = '\(id)'
                """)
        }
    }
}
