import EventLoop
import Foundation
import HTTP
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Injection") @LoopActor struct Injection {
        /// What would do harm where a text became SQL, a header, a line, a format, a path or a page.
        nonisolated static let texts = [
            "' OR '1'='1", "'; DROP TABLE users; --", "\\'; SELECT pg_sleep(9); --", "$1", "$$x$$",
            "E'\\x41'",
            "%s%n%x", "${jndi:ldap://127.0.0.1/x}", "{{7*7}}", "../../../etc/passwd",
            "<script>alert(1)</script>",
            "\u{202E}gnp.exe", "Ω≈ç√∫", "\u{1F600}\u{200D}\u{1F525}", "a\tb",
            "\"}],\"role\":\"admin\"",
        ]
        /// The same, where JSON or percent signs can bring lines' ends and NUL.
        nonisolated static let lines = [
            "a\r\nX-Evil: 1\r\n\r\nx", "a\nb", "a\rb", "a\u{0}b", "a\u{1B}[2Jb", "a\u{85}b",
        ]
        nonisolated static let long = String(repeating: "x", count: 6000)

        /// A reply that gives nothing away and holds nothing that it was not meant to. What it says of the request is
        /// in the log as one line.
        private static func check(
            _ reply: WebReply, _ site: Deployment, _ text: String,
            _ location: SourceLocation = #_sourceLocation
        ) async {
            let about: Comment =
                "\(text.debugDescription.prefix(100)): \(reply.status) \(reply.text.prefix(300))"
            #expect(reply.status < 500, about, sourceLocation: location)
            #expect(reply.head["x-evil"] == nil, about, sourceLocation: location)
            #expect(
                reply.head.fields.allSatisfy { $0.value.count < 1000 }, about,
                sourceLocation: location)
            if reply.status >= 400 {
                #expect(reply.json.keys == ["error"], about, sourceLocation: location)
                #expect(reply.body.count < 2000, about, sourceLocation: location)
                for inside in ["syntax error", "sqlstate", "22021", "pg_", "libpq", "relation"]
                where !text.contains(inside) {
                    let tells = reply.text.lowercased().contains(inside)
                    #expect(!tells, about, sourceLocation: location)
                }
            }
            // What nginx has refused has no line.
            guard reply.head["openai-version"] != nil else { return }
            let line = await site.log.request(reply.requestID)
            #expect(line?["status"].integer == reply.status, about, sourceLocation: location)
        }

        private static func checkLog(_ site: Deployment) {
            for line in site.log.lines {
                #expect(line["event"].string != nil && line["process"].string != nil, "\(line)")
            }
        }

        private static func json(_ object: [String: Any]) throws -> String {
            String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }

        private static func percent(_ text: String) -> String {
            text.utf8.map { String(format: "%%%02X", $0) }.joined()
        }

        @Test("E7: Header values are texts: tokens, chat ids, users and keys")
        func headers() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let front = try await site.makeUser(role: "user", "--scopes", "*,assert_user")
            for (number, text) in (Self.texts + [Self.long]).enumerated() {
                for field in ["Authorization", "x-api-key", "api-key"] {
                    var request = WebRequest("GET", "/v1/models")
                    request.fields = [(field, field == "Authorization" ? "Bearer \(text)" : text)]
                    let reply = try await site.call(request).reply()
                    Expected(401, "invalid_api_key").check(reply)
                    await Self.check(reply, site, text)
                }
                let chat = Chat("echo").with {
                    $0.fields += [
                        ("X-OpenWebUI-Chat-Id", text), ("User-Agent", text), ("X-Request-Id", text),
                        ("Origin", text), ("Referer", text),
                        ("X-Forwarded-For", text),
                    ]
                }
                let reply = try await site.answer(chat, user)
                await Self.check(reply, site, text)
                let kept = try await site.sql(
                    "SELECT encode(convert_to(external_id, 'UTF8'), 'hex') FROM conversations "
                        + "WHERE id = '\(reply.head["x-conversation-id"] ?? "none")'")
                #expect(kept == (Self.isChatName(text) ? Self.hexadecimal(text) : ""))
                #expect(reply.status == (Self.isChatName(text) ? 200 : 400))
                let named = try await site.answer(
                    Chat("echo").with { $0.fields.append(("Idempotency-Key", text)) }, user)
                await Self.check(named, site, text)
                #expect(named.status == (Self.isKey(text) ? 200 : 400), "\(named.text)")

                var request = WebRequest("GET", "/api/users/me")
                request.fields = [
                    ("Authorization", "Bearer \(front.token)"),
                    ("X-OpenWebUI-User-Id", Self.percent("\(number)\(text)")),
                    ("X-OpenWebUI-User-Email", Self.percent(text)),
                ]
                let human = try await site.call(request).reply()
                await Self.check(human, site, text)
                if human.status == 200 { #expect(human.json["name"].string == "\(number)\(text)") }
            }
            Self.checkLog(site)
        }

        @Test("E7: Bodies hold texts: models, names, metadata, messages")
        func bodies() async throws {
            let site = try await Shared.deployment()
            let (user, admin) = try await (site.makeUser(), site.makeUser(role: "admin"))
            for text in Self.texts + Self.lines + [Self.long] {
                let unknown = try await site.answer(Chat(text), user)
                #expect(unknown.status == 404 && unknown.error["param"].string == "model")
                await Self.check(unknown, site, text)

                let name = try await site.send(
                    "POST", "/api/admin/users", admin.token,
                    try Self.json(["name": text, "email": "\(text)@example.org"]))
                await Self.check(name, site, text)
                #expect(name.status == (Self.isName(text) ? 201 : 400), "\(name.text)")
                if name.status == 201 { #expect(name.json["name"].string == text) }

                for member in ["name", "scopes", "models"] {
                    let value: Any = member == "name" ? text : [text]
                    let token = try await site.send(
                        "POST", "/api/admin/users/\(user.id)/api-tokens", admin.token,
                        try Self.json([member: value]))
                    await Self.check(token, site, text)
                    if member == "scopes" { Expected(400, "", param: nil).checkRefused(token) }
                }
                try await Self.checkStored(text, site, user)
            }
            #expect(try await site.sql("SELECT count(*) > 3 FROM users") == "t")
            Self.checkLog(site)
        }

        /// What is stored with a completion is stored as it is, found by it, and given back.
        private static func checkStored(
            _ text: String, _ site: Deployment, _ user: User
        ) async throws {
            let key = String(text.prefix(60))
            let reply = try await site.answer(
                Chat("echo", "canary-prompt \(text)").with {
                    $0.members["store"] = true
                    $0.members["metadata"] = [key: text]
                    $0.members["user"] = text
                }, user)
            await check(reply, site, text)
            let isStorable = text.count <= 512 && !text.contains("\u{0}")
            #expect(reply.status == (isStorable ? 200 : 400), "\(reply.text)")
            guard isStorable else { return }
            #expect(reply.json["metadata"][key].string == text)
            #expect(reply.content.contains(text))
            let id = reply.json["id"].string ?? ""
            let query = "metadata\(percent("[\(key)]"))=\(percent(text))"
            let list = try await site.get("/v1/chat/completions?\(query)", user)
            #expect(list.json["data"].array.map { $0["id"].string } == [id], "\(list.text)")
            let messages = try await site.get("/v1/chat/completions/\(id)/messages", user)
            #expect(messages.json["data"][0]["content"].string == "canary-prompt \(text)")
        }

        @Test("E7: Paths and queries are texts: ids, cursors, limits, orders, filters")
        func queries() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let admin = try await site.makeUser(role: "admin")
            for text in Self.texts + Self.lines {
                let spelled = Self.percent(text)
                for query in [
                    "after", "limit", "order", "model", "metadata", "metadata%5Bx%5D", spelled,
                ] {
                    let reply = try await site.get("/v1/chat/completions?\(query)=\(spelled)", user)
                    await Self.check(reply, site, text)
                    #expect(reply.status == 200 || reply.status == 400 || reply.status == 404)
                    #expect(reply.json["data"].array.isEmpty)
                }
                for path in ["/v1/models/", "/v1/chat/completions/", "/v1/"] {
                    let reply = try await site.get(path + spelled, user)
                    await Self.check(reply, site, text)
                    #expect(
                        reply.status == 404 || reply.status == 400, "\(path)\(text) \(reply.status)"
                    )
                }
                for path in ["/api/admin/users/\(spelled)", "/api/admin/users?after=\(spelled)"] {
                    let reply = try await site.get(path, admin)
                    await Self.check(reply, site, text)
                    #expect(reply.status == 404 || reply.status == 400, "\(path) \(reply.status)")
                }
            }
            Self.checkLog(site)
        }

        @Test("E7: No field of a caller's reaches the provider's request, nor its proxy settings")
        func providerRequest() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for door in [Door.site, .stock] {
                let chat = Chat("echo-json").with {
                    $0.fields += [
                        ("Proxy", "http://127.0.0.1:9"), ("X-Evil", "canary-field"),
                        ("Cookie", "canary-field"),
                        ("OpenAI-Organization", "canary-field"), ("Accept", "canary-field"),
                    ]
                }
                let reply = try await site.answer(chat, user, at: door)
                #expect(reply.status == 200)
                let sent = try #require(site.provider.recorded.last { $0.model == "echo-json" })
                let names = Set(sent.fields.map { $0.name.lowercased() })
                #expect(
                    names.isSubset(of: [
                        "host", "authorization", "content-type", "content-length", "accept",
                        "user-agent", "expect",
                    ]), "\(names)")
                #expect(!sent.fields.contains { $0.value.contains("canary-field") })
                #expect(sent.fields["authorization"] == "Bearer \(DeploymentPlan.providerKey)")
            }
        }

        @Test(
            "E7: Line ends and NUL in header values, which no web server passes on, break nothing")
        func atTheSocket() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let body = Array(#"{"model":"echo","messages":[{"role":"user","content":"x"}]}"#.utf8)
            for text in Self.lines + ["\u{FFFD}", ""] {
                // NUL ends a text for libfcgi, as it does for all of C.
                let heard = String(text.prefix { $0 != "\u{0}" })
                for key in [heard, ""] {
                    let client = try FastCGIClient(site.socket)
                    defer { client.close() }
                    await client.send(
                        FastCGIRecords.request(
                            "POST", "/v1/chat/completions",
                            [
                                ("HTTP_AUTHORIZATION", "Bearer \(user.token)"),
                                ("REQUEST_ID", text),
                                ("HTTP_X_OPENWEBUI_CHAT_ID", text), ("HTTP_IDEMPOTENCY_KEY", key),
                                ("REMOTE_ADDR", text), ("CONTENT_TYPE", "application/json"),
                                ("HTTP_X", text),
                            ], body: body))
                    let reply = await client.reply(seconds: 20)
                    #expect(reply.ending == .complete)
                    let isGood = (key.isEmpty || Self.isKey(key)) && Self.isChatName(heard)
                    #expect(reply.status == (isGood ? 200 : 400), "\(reply.head)")
                    #expect(!reply.head.contains { $0.lowercased().hasPrefix("x-evil") })
                    let id = try #require(reply.field("x-request-id"))
                    #expect(id.count == 32 || id == heard)
                    #expect(await site.log.request(id) != nil)
                }
            }
            Self.checkLog(site)
        }

        private static func hexadecimal(_ text: String) -> String {
            text.utf8.map { String(format: "%02x", $0) }.joined()
        }

        /// What may name a conversation: text of one line that no other bytes can be taken for, not too long.
        private static func isChatName(_ text: String) -> Bool {
            text.count <= 200
                && !text.unicodeScalars.contains {
                    $0 == "\u{FFFD}" || $0.properties.generalCategory == .control
                }
        }

        /// What may name a request: visible ASCII, not too long.
        private static func isKey(_ text: String) -> Bool {
            text.utf8.count <= 255 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }

        /// A name that a user may have: of one line, and not too long.
        private static func isName(_ text: String) -> Bool {
            text.count <= 200
                && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
    }
}

extension Expected {
    /// A refusal for whatever reason, in the right form.
    fileprivate func checkRefused(_ reply: WebReply, _ location: SourceLocation = #_sourceLocation)
    {
        #expect(reply.status == status, "\(reply.text)", sourceLocation: location)
        #expect(reply.json.keys == ["error"], sourceLocation: location)
    }
}
