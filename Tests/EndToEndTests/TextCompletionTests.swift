import EventLoop
import Foundation
import HTTP
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Text completions") @LoopActor struct TextCompletions {
        private static let prompt = #""prompt":"canary-prompt-7f3a two words""#

        private static func ask(
            _ model: String, _ members: String = prompt, isStream: Bool = false,
            of place: (site: Deployment, user: User)? = nil
        ) async throws -> WebReply {
            let shared = try await (site: Shared.deployment(), user: Shared.user())
            let (site, user) = place ?? shared
            let stream = isStream ? #","stream":true"# : ""
            return try await site.send(
                "POST", "/v1/completions", user.token,
                #"{"model":"\#(model)",\#(members)\#(stream)}"#)
        }

        private static func row(_ reply: WebReply) async throws -> String {
            try await Shared.deployment().sql(
                """
                SELECT count(*), min(route), min(model), min(total_tokens), min(source),
                min(ended), min(status) FROM usage WHERE request_id = '\(reply.requestID)'
                """)
        }

        /// The text of choice 0, streamed or not.
        private static func text(_ reply: WebReply) -> String {
            if let whole = reply.json["choices"][0]["text"].string { return whole }
            return reply.events.compactMap { $0.json["choices"][0]["text"].string }.joined()
        }

        @Test("A whole answer has the published shape, and one usage row")
        func shape() async throws {
            let reply = try await Self.ask("echo")
            let id = try #require(reply.json["id"].string)
            let created = try #require(reply.json["created"].integer)
            #expect(id.hasPrefix("cmpl-"))
            #expect(abs(Date.now.timeIntervalSince1970 - Double(created)) < 60)
            #expect(
                reply.text
                    == #"{"id":"\#(id)","object":"text_completion","created":\#(created),"#
                    + #""model":"echo","choices":[{"index":0,"text":"canary-prompt-7f3a two words","#
                    + #""logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"#
                    + #""completion_tokens":3,"total_tokens":6}}"#)
            #expect(reply.head["openai-version"] == "2020-10-01")
            let row = try await Self.row(reply)
            #expect(row == "1|POST /v1/completions|echo|6|provider|completed|200")
        }

        @Test("A stream has the published shape from its first byte to its last")
        func stream() async throws {
            let options = #","stream_options":{"include_usage":true}"#
            let reply = try await Self.ask("usage", Self.prompt + options, isStream: true)
            #expect(reply.status == 200)
            #expect(reply.head["content-type"] == "text/event-stream")
            #expect(reply.head["cache-control"] == "no-cache, no-transform")
            let first = try #require(reply.events.first).json
            let id = try #require(first["id"].string)
            let created = try #require(first["created"].integer)
            #expect(id.hasPrefix("cmpl-"))
            let head =
                #"data: {"id":"\#(id)","object":"text_completion","created":\#(created),"#
                + #""model":"usage","choices":["#
            func chunk(_ text: String, _ finish: String) -> String {
                head
                    + #"{"index":0,"text":"\#(text)","logprobs":null,"finish_reason":\#(finish)}]}"#
                    + "\n\n"
            }
            let usage = #"],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#
            let expected = [
                chunk("counted", "null"), chunk(" words", "null"), chunk("", #""stop""#),
                head + usage + "\n\n", "data: [DONE]\n\n",
            ]
            #expect(reply.text == expected.joined())
            let silent = try await Self.ask("usage", isStream: true)
            #expect(silent.isDone && !silent.text.contains("usage\":{"))
            let row = try await Self.row(silent)
            #expect(row == "1|POST /v1/completions|usage|5|provider|completed|200")
        }

        @Test("What an editor sends for a completion reaches the provider as it was written")
        func forwarding() async throws {
            let site = try await Shared.deployment()
            let members = #"""
                "prompt":"def add(a, b):\n","suffix":"\n\nadd(1, 2)","max_tokens":1024,\#
                "temperature":0.010,"stop":["<fim_prefix>","\n\n"],"presence_penalty":-0.0,"top_k":40
                """#
            _ = try await Self.ask("echo", members, isStream: true)
            let seen = try #require(site.provider.recorded.last { $0.path == "/v1/completions" })
            #expect(
                String(decoding: seen.body, as: UTF8.self)
                    == #"{"model":"echo",\#(members),"stream":true,"#
                    + #""stream_options":{"include_usage":true}}"#)
            #expect(seen.fields["Authorization"] == "Bearer \(DeploymentPlan.providerKey)")
            _ = try await Self.ask("ollama-echo", members, isStream: true)
            let own = try #require(site.provider.recorded.last { $0.path == "/api/generate" })
            let body = Tree(own.body)
            #expect(body["prompt"].string == "def add(a, b):\n")
            #expect(body["suffix"].string == "\n\nadd(1, 2)")
            #expect(body["options"]["num_ctx"].integer == 4096)
            #expect(body["options"]["num_predict"].integer == 1024)
        }

        @Test(
            "Ollama's own wire, and the next candidate when the first is dead, answer alike",
            arguments: [false, true])
        func otherProviders(isStream: Bool) async throws {
            for model in ["echo", "ollama-echo", "failover"] {
                let reply = try await Self.ask(model, isStream: isStream)
                #expect(Self.text(reply) == "canary-prompt-7f3a two words", "\(reply.text)")
                #expect(!reply.text.contains("evil"))
                #expect(isStream ? reply.isDone : reply.json["model"].string == model)
            }
        }

        @Test("Each prompt has its text, n times", arguments: [false, true])
        func severalPrompts(isStream: Bool) async throws {
            let reply = try await Self.ask(
                "length", #""prompt":["canary-prompt a","canary-prompt b"],"n":2"#,
                isStream: isStream)
            let chunks = isStream ? reply.events.map(\.json) : [reply.json]
            var texts: [Int: String] = [:]
            var reasons: [Int: String] = [:]
            for choice in chunks.flatMap({ $0["choices"].array }) {
                let index = choice["index"].integer ?? -1
                texts[index, default: ""] += choice["text"].string ?? ""
                reasons[index] = choice["finish_reason"].string ?? reasons[index]
            }
            #expect(
                texts
                    == Dictionary(
                        uniqueKeysWithValues: (0..<4).map { ($0, "cut by the token limit") }))
            #expect(reasons == Dictionary(uniqueKeysWithValues: (0..<4).map { ($0, "length") }))
        }

        @Test("A silent provider is bridged by comments")
        func keepAlive() async throws {
            let reply = try await Self.ask("slow-first-2500", isStream: true)
            #expect(reply.text.hasPrefix(": keep-alive\n\n"))
            #expect(Self.text(reply) == "at last" && reply.isDone)
        }

        @Test(
            "An answer that the provider broke off ends with an error in band, and without [DONE]",
            arguments: [
                ("cut-after-3", "provider_disconnected"),
                ("reset-after-3", "provider_disconnected"),
                ("no-done", "provider_disconnected"), ("stalls", "provider_timeout"),
            ])
        func truth(model: String, code: String) async throws {
            let reply = try await Self.ask(model, isStream: true)
            let last = try #require(reply.events.last)
            #expect(last.json.keys == ["error"])
            #expect(last.json["error"].keys == ["message", "type", "param", "code"])
            #expect(last.json["error"]["code"].string == code, "\(last.data)")
            #expect(!reply.text.contains("[DONE]"))
            #expect(!reply.text.contains(#""finish_reason":"stop""#))
            let row = try await Self.row(reply)
            #expect(row.hasSuffix("|failed|200"))
        }

        @Test("Every bad body gets its status, its code and the path of what is wrong in it")
        func badBodies() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await Errors.checkRefusals("text-refusals.jsonl", at: "/v1/completions", site, user)
            Expected(400, "invalid_value", param: "logprobs")
                .check(try await Self.ask("ollama-echo", Self.prompt + #","logprobs":1"#))
        }

        private nonisolated static let failures: [(String, Expected)] = [
            ("status-429", Expected(429, "provider_rate_limited")),
            ("status-500", Expected(502, "provider_bad_response")),
            ("status-401", Expected(502, "provider_bad_response")),
            ("status-400-context", Expected(400, "context_length_exceeded", param: "prompt")),
            ("html-200", Expected(502, "provider_bad_response")),
            ("canary", Expected(502, "provider_bad_response")),
            ("dead", Expected(502, "provider_unreachable")),
            ("close-before-headers", Expected(502, "provider_disconnected")),
            ("late", Expected(504, "provider_timeout")),
            ("nothing", Expected(404, "model_not_found", param: "model")),
            ("for-admins", Expected(403, "model_not_allowed", param: "model")),
            ("quotes", Expected(400, "invalid_value", param: "model")),
        ]

        @Test(
            "A failure before the first byte is a status, streamed or not",
            arguments: [false, true])
        func failure(isStream: Bool) async throws {
            let place = try await Shared.holding()
            let replies = try await concurrently(Self.failures.count) { number in
                try await Self.ask(Self.failures[number].0, isStream: isStream, of: place)
            }
            for ((model, expected), reply) in zip(Self.failures, replies) {
                expected.check(reply, of: model)
            }
        }

        @Test("It takes the action of chats, and keeps no conversation")
        func access() async throws {
            let site = try await Shared.deployment()
            let body = #"{"model":"echo",\#(Self.prompt)}"#
            let reader = try await site.makeUser(role: "reader")
            Expected(403, "permission_denied")
                .check(try await site.send("POST", "/v1/completions", reader.token, body))
            let user = try await site.makeUser()
            let other = try await site.mint(user.name, ["--scopes", "embeddings"])
            Expected(403, "permission_denied")
                .check(try await site.send("POST", "/v1/completions", other, body))
            var request = WebRequest("POST", "/v1/completions/")
            request.fields = [
                ("Authorization", "Bearer \(user.token)"), ("X-OpenWebUI-Chat-Id", "texts"),
            ]
            request.body = Array(body.utf8)
            let reply = try await site.call(request).reply()
            #expect(reply.status == 200 && reply.head["x-conversation-id"] == nil)
            let kept = try await site.sql(
                "SELECT count(*) FROM conversations WHERE owner_id = '\(user.id)'")
            #expect(kept == "0")
        }

        @Test(
            "The provider's connection closes when the caller leaves, and what it read is charged",
            arguments: [false, true])
        func departure(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await Departures.leave(
                site, user, "/v1/completions",
                #"{"model":"hang","prompt":"canary-prompt gone","stream":\#(isStream)}"#)
        }
    }
}
