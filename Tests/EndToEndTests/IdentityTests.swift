import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Who somebody is") @LoopActor struct Identities {
        @Test("Whoever signed in at the web server is signed in, and can mint a token of his own")
        func webServer() async throws {
            let site = try await Shared.deployment()
            let alice = try await Self.get(site, "/api/users/me", .signedIn, "alice:right")
            #expect(alice.status == 200)
            #expect(alice.json["name"].string == "alice")
            #expect(alice.json["source"].string == "web_server")
            #expect(alice.json["role"].string == "user")
            #expect(
                try await Self.get(site, "/api/users/me", .signedIn, "alice:wrong").status == 401)
            var request = WebRequest("POST", "/api/users/me/api-token")
            request.fields.append(("Authorization", Self.basic("alice:right")))
            request.fields.append(("Origin", "https://elsewhere.example"))
            Expected(403, "permission_denied")
                .check(try await site.call(request, at: .signedIn).reply())
            request.fields.removeLast()
            let minted = try await site.call(request, at: .signedIn).reply()
            #expect(minted.status == 201)
            let token = try #require(minted.json["token"].string)
            Secrets.note(token: token)
            let same = try await site.send("GET", "/api/users/me", token)
            #expect(same.json["id"].string == alice.json["id"].string)
            let bob = try await Self.get(site, "/api/users/me", .signedIn, "bob:right")
            #expect(bob.json["id"].string != alice.json["id"].string)
            let id = try #require(bob.json["id"].string)
            let author = try await site.sql(
                "SELECT actor FROM audit WHERE target = '\(id)' AND action = 'user.created'")
            #expect(author == id)
        }

        @Test("Only a token that may says who the human is")
        func frontEnd() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let front = try await site.makeUser(role: "user", "--scopes", "*,assert_user")
            func me(_ token: String) async throws -> Tree {
                var request = WebRequest("GET", "/api/users/me")
                request.fields = [
                    ("Authorization", "Bearer \(token)"),
                    ("X-OpenWebUI-User-Id", "person%20one"),
                    ("X-OpenWebUI-User-Email", "one@example.org"),
                    ("X-OpenWebUI-User-Role", "admin"),
                ]
                return try await site.call(request).reply().json
            }
            #expect(try await me(user.token)["id"].string == user.id)
            let human = try await me(front.token)
            #expect(human["name"].string == "person one")
            #expect(human["source"].string == "front_end")
            #expect(human["email"].string == "one@example.org")
            #expect(human["role"].string == "user")
            #expect(human["id"].string != front.id)
            _ = try await me(front.token)
            let id = try #require(human["id"].string)
            let author = try await site.sql(
                "SELECT actor FROM audit WHERE target = '\(id)' AND action = 'user.created'")
            #expect(author == front.id)
        }

        @Test("Without any identity nobody is served, unless the configuration says so")
        func anonymous() async throws {
            let (site, _) = try await (Shared.deployment(), Shared.user())
            Expected(401, "missing_api_key").check(
                try await site.call(Chat("echo").request).reply())
            Expected(401, "missing_api_key").check(try await site.send("GET", "/v1/models", nil))
            #expect(try await site.send("GET", "/health/live", nil).status == 200)

            var plan = DeploymentPlan()
            plan.isAnonymousAllowed = true
            let open = try await Deployment.start(plan)
            let answer = try await open.call(Chat("echo").inChat("chat-of-nobody").request).reply()
            #expect(answer.status == 200)
            #expect(answer.head["x-conversation-id"] == nil)
            #expect(try await open.sql("SELECT count(*) FROM conversations") == "0")
            let nobody = try await open.send("GET", "/api/users/me", nil)
            #expect(nobody.json["name"].string == "anonymous")
            #expect(nobody.json["id"].isNull)
            // Anonymous mints no token, and a wrong token does not become anonymous.
            Expected(403, "permission_denied")
                .check(try await open.send("POST", "/api/users/me/api-token", nil))
            Expected(403, "permission_denied")
                .check(try await open.send("GET", "/api/admin/users", nil))
            Expected(401, "invalid_api_key")
                .check(try await open.send("GET", "/v1/models", "archi_wrong"))
            await open.stop()
        }

        @Test("A role permits what it lists, and nothing else")
        func roles() async throws {
            let site = try await Shared.deployment()
            let reader = try await site.makeUser(role: "reader")
            #expect(try await site.get("/v1/models", reader).status == 200)
            #expect(try await site.get("/api/users/me", reader).json["actions"].array.count == 1)
            Expected(403, "permission_denied").check(try await site.answer(Chat("echo"), reader))
            let narrow = try await site.makeUser(role: "narrow")
            #expect(try await site.answer(Chat("echo"), narrow).status == 200)
            Expected(403, "model_not_allowed", param: "model")
                .check(try await site.answer(Chat("usage"), narrow))
            let pending = try await site.makeUser(role: "pending")
            for path in ["/v1/models", "/api/users/me", "/api/users/me/api-token"] {
                Expected(403, "permission_denied").check(try await site.get(path, pending))
            }
            let user = try await Shared.user()
            Expected(403, "permission_denied").check(try await site.get("/api/admin/users", user))
        }

        @Test("Whoever is refused over and over fills no audit: a row a minute for each reason")
        func refusals() async throws {
            let site = try await Shared.deployment()
            let pending = try await site.makeUser(role: "pending")
            for _ in 0..<40 {
                #expect(try await site.get("/v1/models", pending).status == 403)
            }
            #expect(try await site.get("/api/admin/users", pending).status == 403)
            func rows(_ action: String) async throws -> Int {
                let count = try await site.sql(
                    """
                    SELECT count(*) FROM audit WHERE actor = '\(pending.id)'
                        AND action = 'permission.refused' AND details ->> 'action' = '\(action)'
                    """)
                return Int(count) ?? 0
            }
            #expect(try await waitUntil(seconds: 5) { try await rows("admin") == 1 })
            #expect((1...site.workers.count).contains(try await rows("models")))
        }

        private static func basic(_ credentials: String) -> String {
            "Basic " + Data(credentials.utf8).base64EncodedString()
        }

        private static func get(
            _ site: Deployment, _ path: String, _ door: Door, _ credentials: String
        ) async throws -> WebReply {
            var request = WebRequest("GET", path)
            request.fields = [("Authorization", basic(credentials))]
            return try await site.call(request, at: door).reply()
        }
    }
}
