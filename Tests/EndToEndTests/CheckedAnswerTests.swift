import EventLoop
import HTTP
import JSON
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Checked answers") @LoopActor struct CheckedAnswers {
        /// An object with a list of steps, each with a text as its result.
        private static let format: [String: Any] = [
            "type": "json_schema",
            "json_schema": [
                "name": "steps",
                "schema": [
                    "type": "object", "required": ["steps"], "additionalProperties": false,
                    "properties": [
                        "steps": ["type": "array", "items": ["$ref": "#/$defs/step"]]
                    ],
                    "$defs": [
                        "step": ["type": "object", "properties": ["result": ["type": "string"]]]
                    ],
                ],
            ],
        ]
        nonisolated private static let right = #"{"steps":[{"result":"canary-right"}]}"#
        nonisolated private static let wrong =
            #"{"steps":[{"result":"canary-wrong"},{"result":7}]}"#
        nonisolated private static let fault = "$.steps[1].result must be a string"

        /// A question that is answered by these, one after the other.
        private static func chat(_ model: String, _ drafts: String..., isStream: Bool) -> Chat {
            Chat(model, drafts.joined(separator: "|")).with {
                $0.isStream = isStream
                $0.members["response_format"] = format
                if isStream { $0.members["stream_options"] = ["include_usage": true] }
            }
        }

        private static func calls(_ site: Deployment, _ chat: Chat) -> [Recorded] {
            let text = chat.messages.first?["content"] as? String ?? ""
            return site.provider.recorded.filter {
                Tree($0.body)["messages"][0]["content"].string == text
            }
        }

        @Test("An answer that fits is passed on, and asked for once", arguments: [false, true])
        func fits(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Self.chat("checked", Self.right, "fits-\(isStream)", isStream: isStream)
            let reply = try await site.answer(chat, user)
            #expect(reply.status == 200 && reply.content == Self.right, "\(reply.text)")
            #expect(reply.isDone == isStream)
            #expect(reply.head["x-archway-warning"] == nil)
            #expect(Self.calls(site, chat).count == 1)
        }

        @Test(
            "A wrong answer goes back to the model with what is wrong, and the right one to the caller",
            arguments: ["checked", "checked-ollama"], [false, true])
        func repaired(model: String, isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Self.chat(
                model, Self.wrong, Self.right, "repaired-\(model)-\(isStream)", isStream: isStream
            ).with {
                $0.messages.insert(
                    ["role": "user", "content": $0.messages[0]["content"] ?? ""], at: 0)
                $0.messages[1] = ["role": "user", "content": "canary-prompt-7f3a"]
                $0.members["temperature"] = 0.5
                $0.members["seed"] = 7
            }
            let reply = try await site.answer(chat.inChat("repaired-\(model)-\(isStream)"), user)
            #expect(reply.status == 200 && reply.content == Self.right, "\(reply.text)")
            #expect(!reply.text.contains("canary-wrong"))
            let calls = Self.calls(site, chat)
            try #require(calls.count == 2)
            let members = try calls.map { call in
                try Document(call.body).root.members.filter { $0.key != "messages" }
                    .map { "\($0.key)=\(String(decoding: $0.value.bytes, as: UTF8.self))" }
            }
            #expect(members[0] == members[1])
            let messages = Tree(calls[1].body)["messages"].array
            #expect(messages.map { $0["role"].string } == ["user", "user", "assistant", "user"])
            #expect(messages[2]["content"].string == Self.wrong)
            #expect(messages[3]["content"].string?.contains(Self.fault) == true)
            try await Self.expectUsage(of: reply, calls.count, site)
            // What is kept is the question and the answer, not what went on between.
            let turns = try await site.sql(
                "SELECT role, status FROM turns WHERE conversation_id = '\(reply.head["x-conversation-id"] ?? "")' "
                    + "ORDER BY position")
            #expect(turns == "user|completed\nuser|completed\nassistant|completed")
        }

        /// The figures of all calls are told and kept.
        private static func expectUsage(of reply: WebReply, _ calls: Int, _ site: Deployment)
            async throws
        {
            let told =
                reply.json.exists
                ? reply.json["usage"]
                : reply.events.compactMap(\.json).last { $0["usage"].exists }?["usage"]
            let row = try await site.sql(
                "SELECT prompt_tokens, completion_tokens, total_tokens, source FROM usage "
                    + "WHERE request_id = '\(reply.requestID)'"
            ).split(separator: "|")
            try #require(row.count == 4)
            #expect(told?["prompt_tokens"].integer.map(String.init) == String(row[0]))
            #expect(told?["total_tokens"].integer.map(String.init) == String(row[2]))
            #expect(row[3] == "provider")
            // Each answer is one word to the provider.
            #expect(row[1] == "\(calls)")
        }

        @Test(
            "Two wrong answers are an error before anything was sent, and cost what both cost",
            arguments: [("x", "it is not valid JSON"), (wrong, fault)], [false, true])
        func wrongTwice(answer: (draft: String, fault: String), isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Self.chat(
                "checked", answer.draft, answer.draft, "wrong-\(isStream)", isStream: isStream)
            let reply = try await site.answer(chat, user)
            Expected(502, "provider_bad_response").check(reply)
            #expect(reply.error["message"].string?.contains(answer.fault) == true, "\(reply.text)")
            #expect(Self.calls(site, chat).count == 2)
            let row = try await site.sql(
                "SELECT ended, status, completion_tokens FROM usage WHERE request_id = '\(reply.requestID)'"
            )
            #expect(row == "failed|502|2")
            let line = try #require(await site.log.request(reply.requestID))
            #expect(line["asked_again"].boolean == true)
            #expect(line["detail"].string?.contains("response_format") == true)
        }

        @Test("While a stream is held back there are comments, and then chunks or an error in band")
        func heldBack() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            _ = try await concurrently(2) { number in
                let isRight = number == 0
                let chat = Self.chat(
                    "checked-late", Self.wrong, isRight ? Self.right : "x", isStream: true)
                let call = try site.chat(chat, user)
                #expect(try await call.head().status == 200)
                var reader = WebEventReader()
                var events: [WebEvent] = []
                while let piece = try await call.next() {
                    if events.isEmpty, !reader.others.isEmpty {
                        #expect(reader.others.contains(": keep-alive"))
                    }
                    events += reader.take(piece)
                }
                #expect(
                    reader.others.count >= 2 && reader.others.allSatisfy { $0 == ": keep-alive" })
                #expect(!events.contains { $0.data.contains("canary-wrong") })
                if isRight {
                    #expect(events.compactMap(\.content).joined() == Self.right)
                    #expect(events.last?.data == "[DONE]")
                } else {
                    #expect(events.count == 1)
                    #expect(events.first?.json["error"]["code"].string == "provider_bad_response")
                }
            }
        }

        @Test(
            "What was cut off or refused, and calls of tools, are passed on as they are",
            arguments: ["checked-length", "checked-refusal", "checked-tools"], [false, true])
        func exceptions(model: String, isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let plain = Chat(String(model.dropFirst("checked-".count))).with {
                $0.isStream = isStream
                $0.members["tools"] = Answers.tools
                $0.members["response_format"] = Self.format
            }
            let expected = Said(try await site.answer(plain, user))
            let said = Said(try await site.answer(plain.with { $0.model = model }, user))
            #expect(said.finish == expected.finish && said.finish != nil)
            for member in ["content", "refusal"] {
                #expect(said.text(member) == expected.text(member))
            }
            #expect(said.calls.map(\.arguments) == expected.calls.map(\.arguments))
        }

        @Test(
            "Nothing is checked, and a stream not held back, where nobody asked for it",
            arguments: [false, true])
        func unasked(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let other = Self.chat("unchecked", Self.wrong, isStream: isStream)
            #expect(try await site.answer(other, user).content == Self.wrong)
            for format in [nil, ["type": "text"]] {
                let chat = Chat("checked", Self.wrong).with {
                    $0.isStream = isStream
                    $0.members["response_format"] = format
                }
                #expect(try await site.answer(chat, user).content == Self.wrong)
            }
            // The rest of a text that the caller has begun.
            let rest = Self.chat("checked", "|rest", isStream: isStream).with {
                $0.messages.append(Chat.assistant("{"))
            }
            #expect(try await site.answer(rest, user).content == "rest")
        }

        @Test(
            "Long answers are held back whole, and a provider that breaks off is told",
            arguments: [false, true])
        func ends(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let huge = try await site.answer(
                Chat("checked-huge").with {
                    $0.isStream = isStream
                    $0.members["response_format"] = ["type": "json_object"]
                }, user)
            Expected(502, "provider_bad_response").check(huge)
            let cut = try await site.answer(
                Chat("checked-cut").with {
                    $0.isStream = isStream
                    $0.members["response_format"] = ["type": "json_object"]
                }, user)
            Expected(502, "provider_disconnected").check(cut)
        }

        @Test(
            "A schema that cannot be followed lets the answer through with a warning",
            arguments: [false, true])
        func unchecked(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat("checked", "{}").with {
                $0.isStream = isStream
                $0.members["response_format"] = [
                    "type": "json_schema",
                    "json_schema": ["name": "a", "schema": ["$ref": "#/nowhere"]],
                ]
            }
            let reply = try await site.answer(chat, user)
            #expect(reply.status == 200 && reply.content == "{}", "\(reply.text)")
            let warning = "the answer could not be checked against its schema"
            #expect(reply.head["x-archway-warning"] == warning)
        }

        @Test(
            "A format by default is checked too, and the second call has the same changes as the first"
        )
        func byDefault() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat("checked-adjusted", "no object|{\"a\":1}")
            let reply = try await site.answer(chat, user)
            #expect(reply.status == 200 && reply.content == #"{"a":1}"#, "\(reply.text)")
            let calls = Self.calls(site, chat).map { String(decoding: $0.body, as: UTF8.self) }
            #expect(calls.count == 2)
            for body in calls {
                #expect(body.contains(#""guided_json":{"type":"json_object"}"#))
                #expect(body.contains(#""temperature":0.20"#) && !body.contains("response_format"))
            }
        }

        @Test("The caller who leaves while an answer is held back ends the provider's work")
        func departure() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Self.chat("checked-late", "departure", isStream: true)
            let call = try site.chat(chat, user)
            let isAsked = await waitUntil { !Self.calls(site, chat).isEmpty }
            #expect(isAsked)
            call.leave()
            let isClosed = await waitUntil { Self.calls(site, chat).first?.closedEarly == true }
            #expect(isClosed)
            #expect(Self.calls(site, chat).count == 1)
        }
    }
}
