import EventLoop
import Foundation
import HTTP
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Embeddings") @LoopActor struct Embeddings {
        private static func ask(
            _ model: String, _ members: String = #""input":["canary-prompt-7f3a","two words"]"#
        ) async throws -> WebReply {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            return try await site.send(
                "POST", "/v1/embeddings", user.token, #"{"model":"\#(model)",\#(members)}"#)
        }

        private static func row(_ reply: WebReply) async throws -> String {
            try await Shared.deployment().sql(
                """
                SELECT count(*), min(route), min(model), min(provider_model), min(prompt_tokens),
                min(completion_tokens), min(total_tokens), min(source), min(ended), min(status)
                FROM usage WHERE request_id = '\(reply.requestID)'
                """)
        }

        @Test("A reply has the published shape, the provider's spelling, and one usage row")
        func shape() async throws {
            let reply = try await Self.ask("echo")
            let item = #"{"object":"embedding","index":"#
            #expect(
                reply.text == #"{"object":"list","data":["#
                    + item + #"0,"embedding":[18.0, 0.10,-1.50e-2]},"#
                    + item + #"1,"embedding":[9.0, 0.10,-1.50e-2]}],"#
                    + #""model":"echo","usage":{"prompt_tokens":3,"total_tokens":3}}"#)
            #expect(reply.status == 200 && reply.head["content-type"] == "application/json")
            #expect(reply.head["openai-version"] == "2020-10-01")
            let row = try await Self.row(reply)
            #expect(row == "1|POST /v1/embeddings|echo|echo|3|0|3|provider|completed|200")
        }

        @Test("The provider receives what the caller wrote, and its own key")
        func forwarding() async throws {
            let site = try await Shared.deployment()
            let reply = try await Self.ask(
                "echo", #""input":[[1,2],[3]],"user":"canary-user","priority":0.70"#)
            #expect(reply.json["data"].array.count == 2)
            let seen = try #require(site.provider.recorded.last { $0.path == "/v1/embeddings" })
            let body = String(decoding: seen.body, as: UTF8.self)
            #expect(
                body
                    == #"{"model":"echo","input":[[1,2],[3]],"user":"canary-user","priority":0.70}"#
            )
            #expect(seen.fields["Authorization"] == "Bearer \(DeploymentPlan.providerKey)")
        }

        @Test(
            "Base64 holds the same floats, passed on or made of Ollama's numbers",
            arguments: ["echo", "ollama-echo", "failover"])
        func base64(model: String) async throws {
            let reply = try await Self.ask(
                model, #""input":"canary-prompt-7f3a","encoding_format":"base64""#)
            #expect(reply.json["model"].string == model)
            let text = try #require(reply.json["data"][0]["embedding"].string)
            let data = try #require(Data(base64Encoded: text))
            #expect(data == [Float(18), 0.10, -1.50e-2].withUnsafeBytes { Data($0) })
        }

        @Test("Ollama's reply is rebuilt, and its count charged")
        func ollama() async throws {
            let reply = try await Self.ask("ollama-echo")
            let vectors = reply.json["data"].array.map { $0["embedding"].array.count }
            #expect(vectors == [3, 3] && reply.text.contains("[9.0, 0.10,-1.50e-2]"))
            let row = try await Self.row(reply)
            #expect(row.hasPrefix("1|POST /v1/embeddings|ollama-echo|echo|3|0|3|provider"))
            let site = try await Shared.deployment()
            let seen = try #require(site.provider.recorded.last { $0.path == "/api/embed" })
            #expect(Tree(seen.body)["options"]["num_ctx"].integer == 4096)
            Expected(400, "invalid_value", param: "input")
                .check(try await Self.ask("ollama-echo", #""input":[1,2]"#))
        }

        @Test("What no provider has counted is estimated, and the ledger says so")
        func estimate() async throws {
            let reply = try await Self.ask("vector-lone", #""input":"canary-prompt-7f3a""#)
            #expect(reply.json["usage"]["prompt_tokens"].integer == 5)
            #expect(reply.text.contains("[0.50,1e-1]"))
            let row = try await Self.row(reply)
            #expect(row.hasSuffix("|5|0|5|estimated|completed|200"))
        }

        @Test("Every bad body gets its status, its code and the path of what is wrong in it")
        func badBodies() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await Errors.checkRefusals(
                "embedding-refusals.jsonl", at: "/v1/embeddings", site, user)
            #expect(try await Self.ask("echo").status == 200)
        }

        private nonisolated static let failures: [(String, Expected)] = [
            ("vector-lone", Expected(502, "provider_bad_response")),
            ("vector-words", Expected(502, "provider_bad_response")),
            ("status-429", Expected(429, "provider_rate_limited")),
            ("status-500", Expected(502, "provider_bad_response")),
            ("status-401", Expected(502, "provider_bad_response")),
            ("status-400-context", Expected(400, "context_length_exceeded", param: "input")),
            ("html-200", Expected(502, "provider_bad_response")),
            ("canary", Expected(502, "provider_bad_response")),
            ("dead", Expected(502, "provider_unreachable")),
            ("cut-after-3", Expected(502, "provider_disconnected")),
            ("late", Expected(504, "provider_timeout")),
            ("nothing", Expected(404, "model_not_found", param: "model")),
            ("for-admins", Expected(403, "model_not_allowed", param: "model")),
            ("quotes", Expected(400, "invalid_value", param: "model")),
        ]

        @Test("A failure has its status, and is charged to nobody")
        func failure() async throws {
            _ = try await concurrently(Self.failures.count) { number in
                let (model, expected) = Self.failures[number]
                let reply = try await Self.ask(model)
                expected.check(reply, of: model)
                let wasAsked = !["nothing", "for-admins", "quotes"].contains(model)
                let row = try await Self.row(reply)
                let end = "|0|0|0|estimated|failed|\(expected.status)"
                let isRight =
                    wasAsked ? row.hasPrefix("1|") && row.hasSuffix(end) : row.hasPrefix("0|")
                #expect(isRight, "\(model): \(row)")
            }
        }

        @Test("A provider's refusal is passed on with its words")
        func refusal() async throws {
            let reply = try await Self.ask("status-echo-400", #""input":"canary-prompt-7f3a""#)
            #expect(reply.status == 400)
            #expect(reply.error["message"].string == "bad input: canary-prompt-7f3a")
            let dimensions = #""input":"canary-prompt-7f3a","dimensions":7"#
            Expected(400, "invalid_value", param: "dimensions")
                .check(try await Self.ask("echo", dimensions))
        }

        @Test("It takes the scope and the action, and JSON")
        func access() async throws {
            let site = try await Shared.deployment()
            let body = #"{"model":"echo","input":"canary-prompt"}"#
            let narrow = try await site.makeUser(role: "narrow")
            Expected(403, "permission_denied")
                .check(try await site.send("POST", "/v1/embeddings", narrow.token, body))
            let user = try await site.makeUser()
            let chatting = try await site.mint(user.name, ["--scopes", "chat"])
            Expected(403, "permission_denied")
                .check(try await site.send("POST", "/v1/embeddings", chatting, body))
            let minted = try await site.send(
                "POST", "/api/users/me/api-token", user.token,
                #"{"scopes":["embeddings"],"models":["echo"]}"#)
            let embedding = try #require(minted.json["token"].string)
            #expect(try await site.send("POST", "/v1/embeddings", embedding, body).status == 200)
            Expected(403, "model_not_allowed", param: "model").check(
                try await site.send(
                    "POST", "/v1/embeddings", embedding, body.replacing("echo", with: "usage")))
            var request = WebRequest("POST", "/v1/embeddings")
            request.fields = [
                ("Authorization", "Bearer \(embedding)"), ("Content-Type", "text/plain"),
            ]
            request.body = Array(body.utf8)
            Expected(415, "unsupported_media_type").check(try await site.call(request).reply())
            Expected(405, "method_not_allowed")
                .check(try await site.send("GET", "/v1/embeddings", embedding))
        }

        @Test(
            "The provider's connection closes when the caller leaves, and what it read is charged")
        func departure() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await Departures.leave(
                site, user, "/v1/embeddings", #"{"model":"hang","input":"canary-prompt gone"}"#)
        }
    }
}
