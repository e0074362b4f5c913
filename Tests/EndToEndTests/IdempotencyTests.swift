import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension Chat {
    /// The same under a name.
    func named(_ key: String) -> Chat {
        with { $0.fields.append(("Idempotency-Key", key)) }
    }
}

extension Deployment {
    /// The usage rows of requests of a user, as `count|ended` and so on, in the order of the words.
    func usage(of user: User) async throws -> String {
        try await sql(
            """
            SELECT ended, count(*) FROM usage WHERE user_id = '\(user.id)'
            GROUP BY ended ORDER BY ended
            """
        ).replacing("\n", with: ",")
    }
}

extension EndToEnd {
    @Suite("Requests with an idempotency key") @LoopActor struct Idempotency {
        private static let conflict = Expected(409, "idempotency_conflict")

        /// A conflict that no retry resolves.
        private static func checkFinal(_ reply: WebReply) {
            conflict.check(reply)
            #expect(reply.head["retry-after"] == nil)
            #expect(reply.head["x-should-retry"] == "false")
        }

        private static func isReplayed(_ reply: WebReply) -> Bool {
            reply.head["idempotent-replayed"] == "true"
        }

        enum Form: String, CaseIterable {
            case chat = "/v1/chat/completions"
            case stream = "/v1/chat/completions as a stream"
            case completion = "/v1/completions"
            case embedding = "/v1/embeddings"

            func request(_ key: String) -> WebRequest {
                let text = "canary-prompt \(rawValue)"
                var request = Chat("echo", text).request
                switch self {
                case .chat: break
                case .stream: request = Chat("slow-first-2500", text).streamed.request
                case .completion:
                    request.body = Array(#"{"model":"echo","prompt":"\#(text)"}"#.utf8)
                case .embedding: request.body = Array(#"{"model":"echo","input":"\#(text)"}"#.utf8)
                }
                request.path = String(rawValue.prefix { $0 != " " })
                request.fields.append(("Idempotency-Key", key))
                return request
            }
        }

        @Test(
            "The same request has the same reply to the byte, one call and one usage row",
            arguments: Form.allCases)
        func replay(form: Form) async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            var request = form.request("key/\(form.rawValue.count)")
            request.fields.append(("Authorization", "Bearer \(user.token)"))
            request.fields.append(("X-OpenWebUI-Chat-Id", "replayed \(form.rawValue)"))
            let first = try await site.call(request).reply()
            #expect(first.status == 200 && !Self.isReplayed(first))
            for _ in 0..<2 {
                let again = try await site.call(request).reply()
                #expect(again.status == 200 && Self.isReplayed(again))
                #expect(again.body == first.body)
                for field in ["content-type", "cache-control", "x-conversation-id"] {
                    #expect(again.head[field] == first.head[field], "\(field)")
                }
                #expect(again.requestID != first.requestID)
                let line = try #require(await site.log.request(again.requestID))
                #expect(line["replayed"].boolean == true && !line["provider"].exists)
            }
            #expect(site.asked("canary-prompt \(form.rawValue)\"").count == 1)
            #expect(try await site.usage(of: user) == "completed|1")
        }

        @Test(
            "While the first runs it is refused for a second; when its caller has left, it is free")
        func running() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            for isStream in [true, false] {
                let text = "canary-prompt running \(isStream)"
                let chat = Chat("hang", text).with { $0.isStream = isStream }.named("r\(isStream)")
                let call = try site.chat(chat, user)
                #expect(await waitUntil { site.asked(text).count == 1 })
                let second = try await site.answer(chat, user)
                Self.conflict.check(second)
                #expect(second.head["retry-after"] == "1")
                #expect(second.head["x-should-retry"] == nil)
                // Another request of the name can never have it.
                Self.checkFinal(try await site.answer(chat.with { $0.model = "echo" }, user))
                call.leave()
                let isFree = try await waitUntil {
                    let third = try site.chat(chat, user)
                    defer { third.leave() }
                    return await waitUntil(seconds: 0.3) { site.asked(text).count > 1 }
                }
                #expect(isFree)
            }
        }

        @Test(
            "Another request of the same name is refused for good; other callers have their own names"
        )
        func taken() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            var other = user
            other.token = try await site.mint(user.name)
            let chat = Chat("echo", "canary-prompt mine").named("name")
            #expect(try await site.answer(chat, user).status == 200)
            for change: (inout Chat) -> Void in [
                { $0.messages = [Chat.user("canary-prompt other")] }, { $0.isStream = true },
            ] {
                Self.checkFinal(try await site.answer(chat.with(change), user))
            }
            for path in ["/v1/completions", "/v1/chat/completions?a=b"] {
                var request = chat.request
                request.path = path
                request.fields.append(("Authorization", "Bearer \(user.token)"))
                Self.checkFinal(try await site.call(request).reply())
            }
            for caller in [other, try await Shared.user()] {
                let reply = try await site.answer(chat, caller)
                #expect(reply.status == 200 && !Self.isReplayed(reply))
            }
            #expect(site.asked("canary-prompt mine").count == 3)
        }

        @Test("What failed, was refused or broke off leaves the name free")
        func failures() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let cases: [(Chat, status: Int)] = [
                (Chat("status-500"), 502), (Chat("status-429"), 429), (Chat("late"), 504),
                (Chat("cut-after-3").streamed, 200), (Chat("nothing"), 404),
                (Chat("echo").with { $0.members["temperature"] = 9 }, 400),
            ]
            for (number, (chat, status)) in cases.enumerated() {
                let text = "canary-prompt failing \(number)"
                let named = chat.with { $0.messages = [Chat.user(text)] }.named("f\(number)")
                for _ in 0..<2 {
                    let before = site.asked(text).count
                    let reply = try await site.answer(named, user)
                    #expect(reply.status == status && !reply.isDone && !Self.isReplayed(reply))
                    // What was refused never came to a provider.
                    #expect((site.asked(text).count > before) == !(400...404 ~= status))
                }
                let good = try await site.answer(Chat("echo").named("f\(number)"), user)
                #expect(good.status == 200 && !Self.isReplayed(good))
            }
        }

        @Test("A name is 1 to 255 visible characters")
        func names() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for key in ["a b", "é", String(repeating: "k", count: 256)] {
                let reply = try await site.answer(Chat("echo").named(key), user)
                Expected(400, "invalid_value", param: "Idempotency-Key").check(reply)
            }
            let longest = String(repeating: "~", count: 255)
            #expect(try await site.answer(Chat("echo").named(longest), user).status == 200)
        }

        @Test("A reply of more than 4 MiB is not kept, and its request is not run again")
        func large() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat("bulk-500", "canary-prompt large").streamed.named("large")
            #expect(try await site.answer(chat, user).isDone)
            Self.checkFinal(try await site.answer(chat, user))
            #expect(site.asked("canary-prompt large").count == 1)
        }

        @Test("An API token that was minted under a name is stored nowhere and not minted again")
        func minting() async throws {
            let site = try await Shared.deployment()
            let admin = try await site.makeUser(role: "admin")
            let user = try await site.makeUser()
            var request = WebRequest("POST", "/api/admin/users/\(user.id)/api-tokens")
            request.fields = [
                ("Authorization", "Bearer \(admin.token)"), ("Idempotency-Key", "minting"),
            ]
            let minted = try await site.call(request).reply()
            let token = try #require(minted.json["token"].string)
            Secrets.note(token: token)
            #expect(minted.status == 201 && minted.head["cache-control"] == "no-store")
            Self.checkFinal(try await site.call(request).reply())
            let rows = try await site.sql(
                """
                SELECT count(*), count(body) FROM idempotency_keys
                WHERE owner_id = '\(admin.id)' AND key = 'minting'
                """)
            #expect(rows == "1|0")
            // One from the user's sign-up, and one of these.
            let tokens = try await site.get("/api/admin/users/\(user.id)/api-tokens", admin)
            #expect(tokens.json["data"].array.count == 2)
        }

        @Test("A model that is to finish finishes for the retry too, which gets all of it")
        func finishing() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            for (model, last) in [("finishes", "39:"), ("finishes-late", "at last")] {
                let text = "canary-prompt \(model) alone"
                let chat = Chat(model, text).streamed.named(model)
                let call = try site.chat(chat, user)
                #expect(await waitUntil { site.asked(text).count == 1 })
                if model == "finishes" { _ = try await call.next() }
                call.leave()
                var reply: WebReply?
                let isThere = try await waitUntil {
                    reply = try await site.answer(chat, user)
                    return reply?.status == 200
                }
                #expect(isThere)
                let whole = try #require(reply)
                #expect(whole.isDone && whole.content.contains(last) && Self.isReplayed(whole))
                #expect(site.asked(text).count == 1)
            }
            #expect(try await site.usage(of: user) == "completed|2")
        }

        @Test("The reply is kept before its last frame goes out", arguments: [true, false])
        func durable(isStream: Bool) async throws {
            let site = try await Shared.deployment()
            func text(_ number: Int) -> String { "canary-prompt kept \(isStream) \(number)" }
            try await expectDurable(site, table: "idempotency_keys") { number in
                Chat("paced-20-100", text(number)).with { $0.isStream = isStream }
                    .named("kept-\(isStream)-\(number)")
            } begun: {
                site.asked(text($0)).count == 1
            }
        }

        @Test("Without the database a request with a name is refused before its provider is asked")
        func outage() async throws {
            try await withDeployment(Database.plan()) { site, user in
                try await Database.introduce(user, site)
                let (early, late) = ("canary-prompt early", "canary-prompt late")
                let chat = Chat("slow-first-2500", early).named("early")
                let running = Task { @LoopActor in try await site.answer(chat, user) }
                #expect(await waitUntil { site.asked(early).count == 1 })
                try await site.server.stop()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                let refused = try await site.answer(Chat("echo", late).named("late"), user)
                Expected(503, "database_unavailable").check(refused)
                #expect(refused.head["retry-after"] != nil && site.asked(late).isEmpty)
                // What ran before is answered, and is not run again although its reply is lost.
                #expect(try await running.value.status == 200)
                try await site.server.start()
                Self.conflict.check(try await Database.answer(chat, user, site))
                #expect(site.asked(early).count == 1)
                let again = try await Database.answer(Chat("echo", late).named("late"), user, site)
                #expect(again.status == 200)
            }
        }

        @Test("The names of a dead worker's requests are free")
        func abandoned() async throws {
            try await withDeployment { site, user in
                let chat = Chat("hang-after-3", "canary-prompt dying").streamed.named("dying")
                let call = try site.chat(chat, user)
                _ = try await call.next()
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                await #expect(throws: WebFailure.broken) {
                    while try await call.next() != nil {}
                }
                let isFree = await waitUntil {
                    guard let again = try? site.chat(chat, user) else { return false }
                    defer { again.leave() }
                    return (try? await again.head().status) == 200
                }
                #expect(isFree && site.asked("canary-prompt dying").count == 2)
            }
        }
    }
}
