import EventLoop
import Foundation
import HTTP
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Whole answers") @LoopActor struct Answers {
        @Test("An answer has the published shape, and says who gave it")
        func shape() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(Chat("echo", "canary-prompt-7f3a one two"), user)
            #expect(reply.status == 200)
            let json = reply.json
            #expect(json.keys == ["id", "object", "created", "model", "choices", "usage"])
            #expect(json["id"].string?.hasPrefix("chatcmpl-") == true)
            #expect(json["object"].string == "chat.completion")
            let age = Date.now.timeIntervalSince1970 - Double(json["created"].integer ?? 0)
            #expect(abs(age) < 60)
            #expect(json["model"].string == "echo")
            let choice = json["choices"][0]
            #expect(choice.keys == ["index", "message", "logprobs", "finish_reason"])
            #expect(choice["index"].integer == 0)
            #expect(choice["logprobs"].isNull)
            #expect(choice["finish_reason"].string == "stop")
            #expect(choice["message"].keys == ["role", "content", "refusal"])
            #expect(choice["message"]["role"].string == "assistant")
            #expect(choice["message"]["content"].string == "canary-prompt-7f3a one two")
            #expect(choice["message"]["refusal"].isNull)
            let usage = json["usage"]
            #expect(usage["prompt_tokens"].integer == 3)
            #expect(usage["completion_tokens"].integer == 3)
            #expect(usage["total_tokens"].integer == 6)
        }

        @Test("Every reply carries the request id, the time it took, and the API's version")
        func fields() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let replies = [
                try await site.answer(Chat("echo"), user),
                try await site.answer(Chat("echo").streamed, user),
                try await site.get("/v1/models", user),
                try await site.send("GET", "/v1/models", nil),
                try await site.send("GET", "/nowhere", nil),
                try await site.send("GET", "/health/live", nil),
            ]
            for reply in replies {
                let id = reply.requestID
                #expect(id.count == 32 && id.allSatisfy { $0.isHexDigit }, "\(reply.head)")
                #expect(reply.head["openai-version"] == "2020-10-01")
                #expect(reply.head["openai-processing-ms"].flatMap { Int($0) } != nil)
            }
            #expect(Set(replies.map(\.requestID)).count == replies.count)
            #expect(replies[0].head["content-type"] == "application/json")
        }

        @Test("HEAD is GET without the body")
        func head() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for path in ["/health/live", "/v1/models", "/v1/models/nothing"] {
                let get = try await site.send("GET", path, user.token)
                let head = try await site.send("HEAD", path, user.token)
                #expect(head.status == get.status && head.body.isEmpty)
                #expect(head.head["content-type"] == get.head["content-type"])
            }
        }

        @Test(
            "The provider receives every parameter as it was written, and its own key instead of the caller's"
        )
        func forwarding() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let schema =
                ##"{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{}}}"##
            var request = Chat("echo-json").request
            request.body = Array(
                #"""
                {"model":"echo-json","temperature":0.70,"seed":1234567890123456789,"top_k":40,
                "chat_template_kwargs":{"enable_thinking":false},"stop":["a","b"],
                "tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}],
                "messages":[{"role":"developer","content":"canary-prompt-7f3a"},
                {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}
                """#.utf8)
            request.fields.append(("Authorization", "Bearer \(user.token)"))
            request.fields.append(("X-Private", "canary-field"))
            let reply = try await site.call(request).reply()
            let body = reply.content
            try #require(reply.status == 200, "\(reply.text)")
            #expect(body.contains(#""temperature":0.70"#))
            #expect(body.contains(#""seed":1234567890123456789"#))
            #expect(body.contains(#""top_k":40"#))
            #expect(body.contains(#""chat_template_kwargs":{"enable_thinking":false}"#))
            #expect(body.contains(schema))
            #expect(Tree(body)["messages"].array.count == 2)
            let recorded = try #require(site.provider.recorded.last { $0.model == "echo-json" })
            #expect(recorded.fields["Authorization"] == "Bearer \(DeploymentPlan.providerKey)")
            #expect(recorded.fields["X-Private"] == nil)
            #expect(!recorded.fields.contains { $0.value.contains(user.token) })
        }

        @Test(
            "What only some models say arrives: finish reasons, reasoning, refusals, tool calls",
            arguments: [false, true])
        func variety(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            func ask(_ model: String) async throws -> Said {
                let chat = Chat(model).with {
                    $0.isStream = isStream
                    $0.members["tools"] = Self.tools
                }
                return Said(try await site.answer(chat, user))
            }
            #expect(try await ask("length").finish == "length")
            #expect(try await ask("content-filter").finish == "content_filter")
            #expect(try await ask("reasoning").text("reasoning_content") == "Let me think.")
            #expect(try await ask("reasoning").text("content") == "42")
            #expect(try await ask("refusal").text("refusal") == "I will not.")
            #expect(try await ask("fingerprint").fingerprint == "fp_1")
            #expect(
                try await ask("unicode").text("content")
                    == "Grüße aus Köln 🙂 \u{0}\u{2028} \"\\\" </script>")
            for model in ["tools", "ollama-tools"] {
                let said = try await ask(model)
                #expect(said.finish == "tool_calls")
                #expect(said.calls.map(\.name) == ["weather"])
                #expect(said.calls.map(\.arguments) == [#"{"city":"Köln"}"#])
                #expect(said.calls.allSatisfy { !$0.id.isEmpty })
            }
            let several = try await ask("parallel-tools")
            #expect(several.calls.map(\.name) == ["weather", "time"])
            #expect(several.calls.map(\.arguments) == [#"{"city":"Köln"}"#, #"{"zone":"CET"}"#])
        }

        @Test(
            "Ollama's own wire, and the next candidate when the first is dead, answer alike",
            arguments: [false, true])
        func otherProviders(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for model in ["ollama-echo", "failover"] {
                let chat = Chat(model, "canary-prompt-7f3a across").with { $0.isStream = isStream }
                let reply = try await site.answer(chat, user)
                #expect(reply.status == 200, "\(model): \(reply.text)")
                #expect(reply.content == "canary-prompt-7f3a across")
                #expect(reply.head["x-archway-warning"] == nil)
            }
            let long = Chat("ollama-echo", String(repeating: "canary-prompt ", count: 1200))
            let cut = try await site.answer(long.with { $0.isStream = isStream }, user)
            #expect(cut.head["x-archway-warning"]?.contains("window of 4096 tokens") == true)
            let asked = try #require(site.provider.recorded.last { $0.path == "/api/chat" })
            #expect(Tree(asked.body)["options"]["num_ctx"].integer == 4096)
        }

        @Test(
            "B20: A provider that tries to steer the reader's browser is stripped",
            arguments: [false, true])
        func hostile(isStream: Bool) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(
                Chat("hostile").with { $0.isStream = isStream }, user)
            #expect(reply.content.hasSuffix("harmless"))
            #expect(!reply.text.contains("evil"))
            #expect(!reply.text.contains("javascript"))
        }

        @Test(
            "The models are those of the configuration and those that a provider is found to have")
        func models() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var names: [String] = []
            let isDiscovered = try await waitUntil {
                let reply = try await site.get("/v1/models", user)
                names = reply.json["data"].array.compactMap { $0["id"].string }
                return names.contains("drip")
            }
            #expect(isDiscovered, "\(names)")
            #expect(names.first == "echo")
            #expect(!names.contains("for-admins"))
            let one = try await site.get("/v1/models/echo", user)
            #expect(one.json.keys.isSuperset(of: ["id", "object", "created", "owned_by"]))
            #expect(one.json["object"].string == "model")
            #expect(try await site.get("/v1/models/for-admins", user).status == 404)
            let admin = try await site.makeUser(role: "admin")
            #expect(try await site.get("/v1/models/for-admins", admin).status == 200)
        }

        static let tools: [[String: Any]] = ["weather", "time"].map {
            ["type": "function", "function": ["name": $0, "parameters": ["type": "object"]]]
        }
    }
}

/// What an answer says, streamed or not.
@LoopActor struct Said {
    struct Call { var id = "", name = "", arguments = "" }

    private var texts: [String: String] = [:]
    private(set) var calls: [Call] = []
    private(set) var finish: String?
    private(set) var fingerprint: String?

    init(_ reply: WebReply) {
        let chunks = reply.json.exists ? [reply.json] : reply.events.map(\.json)
        for chunk in chunks {
            let choice = chunk["choices"][0]
            fingerprint = chunk["system_fingerprint"].string ?? fingerprint
            finish = choice["finish_reason"].string ?? finish
            take(choice["message"])
            take(choice["delta"])
        }
    }

    func text(_ member: String) -> String { texts[member] ?? "" }

    private mutating func take(_ message: Tree) {
        for key in message.keys {
            if let text = message[key].string { texts[key, default: ""] += text }
        }
        for (place, call) in message["tool_calls"].array.enumerated() {
            let index = call["index"].integer ?? place
            while calls.count <= index { calls.append(Call()) }
            calls[index].id += call["id"].string ?? ""
            calls[index].name += call["function"]["name"].string ?? ""
            calls[index].arguments += call["function"]["arguments"].string ?? ""
        }
    }
}
