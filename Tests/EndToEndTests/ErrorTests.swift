import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Errors") @LoopActor struct Errors {
        @Test("Every bad body gets its status, its code and the path of what is wrong in it")
        func badBodies() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try await Self.checkRefusals("refusals.jsonl", at: "/v1/chat/completions", site, user)
            #expect(try await site.answer(Chat("echo"), user).status == 200)
        }

        /// Sends each body of a file of refusals, and expects what its line says.
        static func checkRefusals(
            _ file: String, at path: String, _ site: Deployment, _ user: User
        ) async throws {
            let file = Deployment.root + "/Tests/OpenAITests/Fixtures/" + file
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            #expect(lines.count > 25)
            for line in lines {
                let fixture = Tree(line)
                let start = try #require(line.range(of: #","body":"#)).upperBound
                let body = String(line[start...].dropLast())
                let reply = try await site.send("POST", path, user.token, body)
                Expected(
                    400, fixture["code"].string ?? "", param: fixture["param"].string
                ).check(reply)
            }
        }

        @Test(
            "What is no JSON object is refused for what it is",
            arguments: [
                ("", "invalid_json"), ("{", "invalid_json"), ("{}x", "invalid_json"),
                ("[1,]", "invalid_json"),
                ("{\"model\":\"\u{1}\"}", "invalid_json"), ("[]", "invalid_type"),
                ("\"x\"", "invalid_type"), ("null", "invalid_type"),
                (String(repeating: "[", count: 100_000), "invalid_json"),
            ])
        func noObject(body: String, code: String) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.send("POST", "/v1/chat/completions", user.token, body)
            Expected(400, code).check(reply)
        }

        @Test("Bytes that are no UTF-8 are refused")
        func noText() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var request = Chat("echo").request
            request.body = Array(#"{"model":"echo","messages":[{"role":"user","content":""#.utf8)
            request.body? += [0xc3, 0x28] + Array("\"}]}".utf8)
            request.fields.append(("Authorization", "Bearer \(user.token)"))
            Expected(400, "invalid_json").check(try await site.call(request).reply())
        }

        @Test("Paths, methods and models that are not there are told apart, in both slash forms")
        func notThere() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for path in ["/", "/v1", "/v1/chat", "/v1/nothing/", "/v1/chat/x/y", "/api/users"] {
                Expected(404, "not_found").check(try await site.get(path, user))
            }
            for (method, path, allowed) in [
                ("PUT", "/v1/chat/completions", "POST, GET, HEAD"),
                ("POST", "/v1/models/", "GET, HEAD"),
                ("PATCH", "/v1/chat/completions/x", "GET, HEAD, POST, DELETE"),
                ("PUT", "/api/users/me/api-token/", "GET, HEAD, POST, DELETE"),
                ("DELETE", "/health/live", "GET, HEAD"),
                ("BREW", "/v1/models", "GET, HEAD"),
            ] {
                let reply = try await site.send(method, path, user.token)
                Expected(405, "method_not_allowed").check(reply)
                #expect(reply.head["allow"] == allowed, "\(method) \(path)")
            }
            let unknown = Expected(404, "model_not_found", param: "model")
            unknown.check(try await site.answer(Chat("nothing"), user))
            unknown.check(try await site.get("/v1/models/nothing/", user))
            unknown.check(try await site.get("/v1/models/family/nothing", user))
            Expected(403, "model_not_allowed", param: "model")
                .check(try await site.answer(Chat("for-admins"), user))
            #expect(try await site.get("/v1/models/", user).status == 200)
            #expect(try await site.get("/v1/models/echo/", user).status == 200)
            var request = Chat("echo").request
            request.path += "/"
            request.fields.append(("Authorization", "Bearer \(user.token)"))
            #expect(try await site.call(request).reply().status == 200)
        }

        @Test(
            "A body that is too large is refused in JSON that names the limit, by worker and by nginx"
        )
        func tooLarge() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let large = try await site.answer(
                Chat("echo", String(repeating: "x", count: 1 << 20)), user)
            Expected(413, "request_too_large").check(large)
            #expect(large.text.contains("1048576"))
            var request = Chat("echo").request
            request.body = Array("{".utf8)
            request.fields.append(("Content-Length", "67108865"))
            let enormous = try await site.call(request).reply()
            Expected(413, "request_too_large").check(enormous)
            #expect(enormous.text.contains("64 MiB"))
        }

        @Test("A body that is not declared as JSON is refused")
        func mediaType() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for (type, isTaken) in [
                ("text/plain", false), ("application/x-www-form-urlencoded", false),
                ("application/json; charset=utf-8", true), ("Application/JSON", true),
            ] {
                var request = Chat("echo").request
                request.fields = [
                    ("Content-Type", type), ("Authorization", "Bearer \(user.token)"),
                ]
                let reply = try await site.call(request).reply()
                if isTaken {
                    #expect(reply.status == 200)
                } else {
                    Expected(415, "unsupported_media_type").check(reply)
                }
            }
        }

        private nonisolated static let providerFailures: [(String, Expected)] = [
            ("status-429", Expected(429, "provider_rate_limited")),
            ("status-500", Expected(502, "provider_bad_response")),
            ("status-503", Expected(502, "provider_bad_response")),
            ("status-401", Expected(502, "provider_bad_response")),
            ("status-403", Expected(502, "provider_bad_response")),
            ("status-404", Expected(502, "provider_bad_response")),
            (
                "status-400-context",
                Expected(400, "context_length_exceeded", param: "messages")
            ),
            ("html-200", Expected(502, "provider_bad_response")),
            ("redirect", Expected(502, "provider_bad_response")),
            ("canary", Expected(502, "provider_bad_response")),
            ("empty", Expected(502, "provider_disconnected")),
            ("dead", Expected(502, "provider_unreachable")),
            ("reset-before-headers", Expected(502, "provider_disconnected")),
            ("close-before-headers", Expected(502, "provider_disconnected")),
            ("late", Expected(504, "provider_timeout")),
        ]

        @Test(
            "A provider's failure before the first byte is a status, streamed or not",
            arguments: [true, false])
        func providerFailure(isStream: Bool) async throws {
            let (site, user) = try await Shared.holding()
            // A whole answer may be empty.
            let failures = Self.providerFailures.filter { isStream || $0.0 != "empty" }
            let replies = try await concurrently(failures.count) { number in
                try await site.answer(
                    Chat(failures[number].0).with { $0.isStream = isStream }, user)
            }
            for ((model, expected), reply) in zip(failures, replies) {
                expected.check(reply, of: model)
                let asksToWait = ["status-429", "status-503"].contains(model)
                #expect((reply.head["retry-after"] != nil) == asksToWait)
            }
        }

        @Test("A provider's complaint about a parameter is passed on with its words")
        func providerRefusal() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(Chat("status-400"), user)
            #expect(reply.status == 400)
            #expect(reply.error["message"].string == "scripted failure 400")
            #expect(reply.error["type"].string == "invalid_request_error")
            let echo = try await site.answer(Chat("status-echo-400"), user)
            #expect(echo.status == 400)
            #expect(echo.error["message"].string?.contains("canary-prompt-7f3a") == true)
            Expected(502, "provider_bad_response")
                .check(try await site.answer(Chat("status-echo-500"), user))
        }

        @Test("Hostile text in every place that a caller can fill changes nothing")
        func injection() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let hostile = "'; DROP TABLE users; --\"\\{}%_$1\u{301}😀"
            let answer = try await site.answer(Chat("echo", hostile).inChat("x' OR 1=1"), user)
            #expect(answer.content == hostile)
            Expected(404, "model_not_found", param: "model")
                .check(try await site.answer(Chat(hostile), user))
            let path = "/v1/models/%27%3B%20DROP%20TABLE%20users%0d%0aX-Evil:%201"
            let reply = try await site.get(path, user)
            #expect(reply.status == 404)
            #expect(reply.head["x-evil"] == nil)
            let asked = try await site.get("/api/users/me?limit=%27%3B--", user)
            #expect(asked.json["id"].string == user.id)
        }
    }
}
