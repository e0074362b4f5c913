import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Stored completions") @LoopActor struct StoredCompletions {
        nonisolated static let path = "/v1/chat/completions"

        /// The same, to be stored.
        private static func stored(_ chat: Chat, _ metadata: [String: String]? = nil) -> Chat {
            chat.with {
                $0.members["store"] = true
                if let metadata { $0.members["metadata"] = metadata }
            }
        }

        /// All entries of a list, page by page; each page must say of itself what it is.
        private static func all(
            _ site: Deployment, _ user: User, _ list: String = path, _ query: [String] = []
        ) async throws -> [Tree] {
            var (entries, after) = ([Tree](), [String]())
            while true {
                let words = (query + after).joined(separator: "&")
                let page = try await site.get("\(list)?\(words)", user)
                #expect(page.status == 200, "\(page.text)")
                #expect(page.json.keys == ["object", "data", "first_id", "last_id", "has_more"])
                #expect(page.json["object"].string == "list")
                let ids = page.json["data"].array.map { $0["id"].string }
                #expect(page.json["first_id"].string == ids.first ?? nil)
                #expect(page.json["last_id"].string == ids.last ?? nil)
                entries += page.json["data"].array
                guard page.json["has_more"].boolean == true, let last = ids.last ?? nil else {
                    return entries
                }
                after = ["after=\(last)"]
            }
        }

        @Test("What is stored is, byte for byte, what was answered, for its owner and nobody else")
        func identity() async throws {
            let site = try await Shared.deployment()
            let (user, other) = try await (site.makeUser(), site.makeUser())
            let chat = Self.stored(Chat("fingerprint"), ["topic": "é", "n": "1"])
            let reply = try await site.answer(chat, user)
            #expect(reply.status == 200)
            let id = try #require(reply.json["id"].string)
            #expect(reply.json["metadata"]["topic"].string == "é")
            #expect(reply.json["system_fingerprint"].string == "fp_1")
            let found = try await site.get("\(Self.path)/\(id)", user)
            #expect(found.status == 200)
            #expect(found.body == reply.body)
            #expect(try await site.get("\(Self.path)/\(id)/", user).body == reply.body)
            let list = try await site.get(Self.path, user)
            #expect(
                list.text == #"{"object":"list","data":[\#(reply.text)],"first_id":"\#(id)","#
                    + #""last_id":"\#(id)","has_more":false}"#)

            // To everybody else it is what never was, to the letter.
            let change = #"{"metadata":{"a":"b"}}"#
            for (method, suffix, body) in [
                ("GET", "", nil), ("POST", "", change), ("DELETE", "", nil),
                ("GET", "/messages", nil),
            ] {
                let path = "\(Self.path)/\(id)\(suffix)"
                let foreign = try await site.send(method, path, other.token, body)
                Expected(404, "not_found").check(foreign)
                let unknown = try await site.send(
                    method, "\(Self.path)/chatcmpl-none\(suffix)", other.token, body)
                #expect(foreign.text == unknown.text && unknown.status == 404)
            }
            let foreign = try await site.get(Self.path, other)
            #expect(foreign.json["data"].array.isEmpty && foreign.json["first_id"].isNull)
            Expected(404, "not_found", param: "after")
                .check(try await site.get("\(Self.path)?after=\(id)", other))
            #expect(try await site.get("\(Self.path)/\(id)", user).body == reply.body)
        }

        @Test("Without store nothing is stored, nor without metadata anything but none")
        func absence() async throws {
            let (site, user) = (
                try await Shared.deployment(), try await Shared.deployment().makeUser()
            )
            for value: Any in [false, NSNull()] {
                let reply = try await site.answer(
                    Chat("echo").with {
                        $0.members["store"] = value
                        $0.members["metadata"] = ["a": "b"]
                    }, user)
                #expect(reply.status == 200 && !reply.json["metadata"].exists)
            }
            _ = try await site.answer(Chat("echo").inChat("unstored"), user)
            #expect(try await Self.all(site, user).isEmpty)
            let reply = try await site.answer(Self.stored(Chat("echo")), user)
            #expect(reply.json["metadata"].exists && reply.json["metadata"].keys.isEmpty)
            #expect(try await Self.all(site, user).count == 1)
        }

        @Test("All pages together hold each completion once, in both orders; filters choose")
        func pages() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            var ids: [String] = []
            for number in 0..<7 {
                let chat = Self.stored(
                    Chat(number < 3 ? "usage" : "echo"),
                    ["parity": number.isMultiple(of: 2) ? "even" : "odd", "a b&[c]": "\(number)"])
                let reply = try await site.answer(
                    chat.with { $0.isStream = number.isMultiple(of: 3) }, user)
                let first = reply.events.first?.json["id"].string
                ids.append(try #require(reply.json["id"].string ?? first))
            }
            func listed(_ query: String...) async throws -> [Int] {
                try await Self.all(site, user, Self.path, query)
                    .compactMap { $0["id"].string.flatMap(ids.firstIndex) }
            }
            for limit in [1, 2, 3, 7, 100] {
                #expect(try await listed("limit=\(limit)") == Array(0..<7))
                #expect(
                    try await listed("limit=\(limit)", "order=desc") == Array((0..<7).reversed()))
            }
            #expect(try await listed("order=asc") == Array(0..<7))
            #expect(try await listed("model=usage", "limit=2") == [0, 1, 2])
            #expect(try await listed("model=nothing") == [])
            let even = "metadata%5Bparity%5D=even"
            #expect(try await listed(even, "limit=1") == [0, 2, 4, 6])
            #expect(try await listed(even, "model=echo", "order=desc") == [6, 4])
            #expect(try await listed("metadata[a%20b%26%5Bc%5D]=5") == [5])
            #expect(try await listed("metadata[parity]=ev") == [])
            #expect(try await listed("metadata[parity]=%27%3B--%22%5C") == [])
        }

        @Test("Metadata is replaced as a whole; nothing else changes, or can be changed")
        func change() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let reply = try await site.answer(Self.stored(Chat("echo"), ["old": "1"]), user)
            let id = try #require(reply.json["id"].string)
            let path = "\(Self.path)/\(id)"
            let changed = try await site.send(
                "POST", path, user.token, #"{"metadata":{"new":"2" , "\u0062":"x"}}"#)
            #expect(changed.status == 200)
            let expected = reply.text.replacing(
                #""metadata":{"old":"1"}"#, with: #""metadata":{"new":"2" , "\u0062":"x"}"#)
            #expect(changed.text == expected && expected != reply.text)
            #expect(try await site.get(path, user).text == expected)
            let found = try await site.get("\(Self.path)?metadata[b]=x", user)
            #expect(found.json["first_id"].string == id)
            let lost = try await site.get("\(Self.path)?metadata[old]=1", user)
            #expect(lost.json["data"].array.isEmpty)

            let long = String(repeating: "x", count: 513)
            let many = (0...16).map { #""\#($0)":"x""# }.joined(separator: ",")
            for (body, error) in [
                ("{}", Expected(400, "missing_required_parameter", param: "metadata")),
                ("", Expected(400, "invalid_json")), ("[]", Expected(400, "invalid_type")),
                (#"{"metadata":"x"}"#, Expected(400, "invalid_type", param: "metadata")),
                (#"{"metadata":{"a":1}}"#, Expected(400, "invalid_type", param: "metadata.a")),
                (
                    #"{"metadata":{"a":"\#(long)"}}"#,
                    Expected(400, "invalid_value", param: "metadata.a")
                ),
                (#"{"metadata":{\#(many)}}"#, Expected(400, "invalid_value", param: "metadata")),
                (
                    #"{"metadata":{},"model":"x"}"#,
                    Expected(400, "unknown_parameter", param: "model")
                ),
            ] {
                error.check(try await site.send("POST", path, user.token, body))
            }
            #expect(try await site.get(path, user).text == expected)
            let emptied = try await site.send("POST", path, user.token, #"{"metadata":null}"#)
            #expect(emptied.json["metadata"].keys.isEmpty && emptied.json["metadata"].exists)
        }

        @Test("Deleting takes the completion, and the conversation that it alone has made")
        func delete() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let alone = try await site.answer(Self.stored(Chat("echo")), user)
            let named = try await site.answer(Self.stored(Chat("echo").inChat("kept")), user)
            func conversations() async throws -> String {
                try await site.sql(
                    "SELECT count(*) FROM conversations WHERE owner_id = '\(user.id)'")
            }
            #expect(try await conversations() == "2")
            for (reply, left) in [(alone, 1), (named, 0)] {
                let id = try #require(reply.json["id"].string)
                let path = "\(Self.path)/\(id)"
                let deleted = try await site.send("DELETE", path, user.token)
                #expect(
                    deleted.text
                        == #"{"object":"chat.completion.deleted","id":"\#(id)","deleted":true}"#)
                Expected(404, "not_found").check(try await site.get(path, user))
                Expected(404, "not_found").check(try await site.send("DELETE", path, user.token))
                #expect(try await Self.all(site, user).count == left)
                #expect(try await conversations() == "1")
            }
        }

        @Test("The messages of the request are listed with ids, page by page, in both orders")
        func messages() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            var chat = Self.stored(Chat("echo"))
            let image: [String: Any] = [
                "type": "image_url", "image_url": ["url": "data:image/png;base64,AA=="],
            ]
            chat.messages = [
                ["role": "system", "content": "canary-system"],
                Chat.user("canary-prompt one"), Chat.assistant("two"),
                ["role": "user", "content": [["type": "text", "text": "three"], image] as [Any]],
                ["role": "user", "content": "canary-prompt four", "name": "ann"],
            ]
            let reply = try await site.answer(chat, user)
            let id = try #require(reply.json["id"].string)
            let path = "\(Self.path)/\(id)/messages"
            let all = try await Self.all(site, user, path, ["limit=2"])
            #expect(all.map { $0["id"].string } == (0..<5).map { "\(id)-\($0)" })
            #expect(
                all.map { $0["role"].string }
                    == ["system", "user", "assistant", "user", "user"])
            #expect(
                all.map { $0["content"].string }
                    == [
                        "canary-system", "canary-prompt one", "two", "three",
                        "canary-prompt four",
                    ])
            #expect(all.allSatisfy { $0["refusal"].isNull })
            #expect(all.map { $0["content_parts"].array.count } == [0, 0, 0, 2, 0])
            #expect(all[0]["content_parts"].isNull)
            #expect(all[4]["name"].string == "ann")
            let down = try await Self.all(site, user, path, ["limit=2", "order=desc"])
            #expect(down.map { $0["id"].string } == all.map { $0["id"].string }.reversed())
            let end = try await site.get("\(path)?after=\(id)-4", user)
            #expect(end.json["data"].array.isEmpty && end.json["last_id"].string == "")
            Expected(404, "not_found", param: "after")
                .check(try await site.get("\(path)?after=\(id)-5", user))
        }

        @Test("A stream is stored as the whole answer that it was, before it says that it is done")
        func stream() async throws {
            let site = try await Shared.deployment()
            let user = try await Shared.user()
            func text(_ number: Int) -> String { "canary-prompt durable \(number)" }
            let (_, reply) = try await expectDurable(site, table: "stored_completions") {
                Self.stored(Chat("paced-20-100", text($0)).streamed, ["test": "durable"])
            } begun: {
                site.asked(text($0)).count == 1
            }
            let first = try #require(reply.events.first?.json)
            let path = "\(Self.path)/\(first["id"].string ?? "")"
            // It may have taken its way around a lock that was held for too long.
            let isThere = try await waitUntil { try await site.get(path, user).status == 200 }
            #expect(isThere)
            let stored = try await site.get(path, user).json
            #expect(
                stored.keys
                    == ["id", "object", "created", "model", "choices", "usage", "metadata"])
            #expect(stored["object"].string == "chat.completion")
            #expect(stored["created"].integer == first["created"].integer)
            #expect(stored["model"].string == "paced-20-100")
            let choice = stored["choices"][0]
            #expect(choice.keys == ["index", "message", "logprobs", "finish_reason"])
            #expect(choice["message"]["content"].string == reply.content)
            #expect(choice["finish_reason"].string == "stop")
            #expect(stored["usage"]["total_tokens"].integer ?? 0 > 0)
        }

        @Test(
            "What streams and what does not is stored alike",
            arguments: [
                "fingerprint", "tools", "reasoning", "refusal", "length", "cites",
            ])
        func alike(model: String) async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let chat = Self.stored(Chat(model)).with {
                if model == "tools" { $0.members["tools"] = Answers.tools }
            }
            _ = try await site.answer(chat, user)
            #expect(try await site.answer(chat.streamed, user).isDone)
            let stored = try await Self.all(site, user)
                .map { $0.without("id", "created").canonical }
            try #require(stored.count == 2)
            #expect(stored[0].contains(#""chat.completion""#) && stored[0] == stored[1])
        }

        @Test("What broke off, was refused, left alone or asked on the side is not stored")
        func broken() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            for model in ["cut-after-3", "no-done", "stalls", "status-400", "status-500"] {
                // Not streamed, an answer without a finish reason counts as whole.
                for isStream in [true, false] where isStream || model != "no-done" {
                    let reply = try await site.answer(
                        Self.stored(Chat(model)).with { $0.isStream = isStream }, user)
                    #expect(isStream ? !reply.isDone : reply.status >= 400)
                }
            }
            let call = try site.chat(Self.stored(Chat("hang-after-3").streamed), user)
            _ = try await call.next()
            call.leave()
            let isEnded = try await waitUntil {
                try await site.sql(
                    """
                    SELECT count(*) FROM usage WHERE user_id = '\(user.id)' AND ended = 'incomplete'
                    """) == "1"
            }
            #expect(isEnded)
            let task = Self.stored(Chat("echo")).with {
                $0.fields.append(("X-OpenWebUI-Task", "title_generation"))
            }
            #expect(try await site.answer(task, user).status == 200)
            #expect(try await Self.all(site, user).isEmpty)
            #expect(try await site.answer(Self.stored(Chat("echo")), user).status == 200)
            #expect(try await Self.all(site, user).count == 1)
        }

        @Test(
            "A wrong query is refused with the name of what is wrong",
            arguments: [
                ("limit=0", 400, "invalid_value", "limit"),
                ("limit=101", 400, "invalid_value", "limit"),
                ("limit=x", 400, "invalid_value", "limit"),
                ("order=up", 400, "invalid_value", "order"),
                ("after=chatcmpl-none", 404, "not_found", "after"),
                ("limit=1&limit=2", 400, "invalid_value", "limit"),
                ("colour=red", 400, "unknown_parameter", "colour"),
            ])
        func query(_ query: String, _ status: Int, _ code: String, _ param: String) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(Self.stored(Chat("echo")), user)
            let id = try #require(reply.json["id"].string)
            for path in [Self.path, "\(Self.path)/\(id)/messages"] {
                Expected(status, code, param: param)
                    .check(try await site.get("\(path)?\(query)", user))
            }
        }

        @Test("A token without the scope, and a role without the action, reach none of them")
        func scopes() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let reply = try await site.answer(Self.stored(Chat("echo")), user)
            let path = "\(Self.path)/\(reply.json["id"].string ?? "")"
            let narrow = try await site.mint(user.name, ["--scopes", "models"])
            for path in [Self.path, path, path + "/messages"] {
                Expected(403, "permission_denied").check(try await site.send("GET", path, narrow))
            }
            Expected(403, "permission_denied")
                .check(try await site.send("DELETE", path, narrow))
            #expect(try await site.get(path, user).status == 200)
        }

        @Test("Where it cannot be stored the answer is given, and says so")
        func warning() async throws {
            try await withDeployment { site, user in
                let warning = "this conversation is not being stored"
                let good = try await site.answer(Self.stored(Chat("echo")), user)
                #expect(good.head["x-archway-warning"] == nil)
                // The conversation is deleted while the answer is given.
                let chat = Self.stored(Chat("slow-first-2500"))
                let late = Task { @LoopActor in try await site.answer(chat, user) }
                let isGone = try await waitUntil {
                    try await site.sql(
                        """
                        DELETE FROM conversations c USING turns t WHERE t.conversation_id = c.id
                        AND t.status = 'in_progress' RETURNING 'gone'
                        """) != ""
                }
                #expect(isGone)
                let orphan = try await late.value
                #expect(orphan.status == 200 && orphan.content == "at last")
                #expect(orphan.head["x-archway-warning"] == warning)
                // It is refused, and always would be.
                try await site.sql(
                    """
                    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$;
                    CREATE TRIGGER refuse BEFORE INSERT ON turns EXECUTE FUNCTION refuse();
                    """)
                let lost = try await site.answer(Self.stored(Chat("echo")), user)
                #expect(lost.status == 200 && lost.head["x-archway-warning"] == warning)
                #expect(!lost.json["metadata"].exists)
                let stream = try await site.answer(Self.stored(Chat("echo").streamed), user)
                #expect(stream.isDone && stream.head["x-archway-warning"] == warning)
                try await site.sql("DROP TRIGGER refuse ON turns")
                #expect(try await Self.all(site, user).count == 1)
            }
        }
    }
}
