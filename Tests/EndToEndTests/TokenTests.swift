import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("API tokens") @LoopActor struct Tokens {
        @Test(
            "A token has the published form, and a wrong checksum is refused without a question to the database"
        )
        func form() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let parts = user.token.split(separator: "_")
            #expect(parts.first == "archi" && parts.count == 2)
            #expect(parts.last?.count == 49)
            #expect(parts.last?.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } == true)
            let last = user.token.last == "0" ? "1" : "0"
            let wrong: [String] = [
                user.token.dropLast() + last, user.token + "x", String(user.token.dropLast()),
                "archi_", "sk-" + user.token, "\u{e9}",
            ]
            for token in wrong {
                let reply = try await site.send("GET", "/v1/models", token)
                Expected(401, "invalid_api_key").check(reply)
                #expect(!reply.text.contains("archi_"))
            }
            // Of the right form, and unknown.
            let stranger = try await site.makeUser()
            try await site.sql("DELETE FROM api_tokens WHERE user_id = '\(stranger.id)'")
            Expected(401, "invalid_api_key").check(try await site.get("/v1/models", stranger))
        }

        @Test("A token counts in each of its three fields, and two different ones are refused")
        func fields() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let other = try await site.makeUser()
            func status(_ fields: (String, String)...) async throws -> WebReply {
                var request = WebRequest("GET", "/api/users/me")
                request.fields = fields.map { (name: $0.0, value: $0.1) }
                return try await site.call(request).reply()
            }
            for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
                let reply = try await status(("Authorization", "\(scheme) \(user.token)"))
                #expect(reply.json["id"].string == user.id)
            }
            for name in ["x-api-key", "api-key", "X-API-KEY"] {
                #expect(try await status((name, user.token)).json["id"].string == user.id)
            }
            let bearer = ("Authorization", "Bearer \(user.token)")
            #expect(try await status(bearer, ("api-key", user.token)).status == 200)
            Expected(400, "invalid_value")
                .check(try await status(bearer, ("x-api-key", other.token)))
            Expected(400, "invalid_value")
                .check(try await status(("api-key", user.token), ("x-api-key", other.token)))
            Expected(401, "invalid_api_key")
                .check(try await status(("Authorization", "Basic dXNlcjpwYXNz")))
            Expected(401, "invalid_api_key").check(try await status(("Authorization", "Bearer")))
            Expected(401, "missing_api_key").check(try await status())
            // Addresses end up in logs and histories.
            let query = try await site.send("GET", "/api/users/me?api_key=archi_x", nil)
            Expected(401, "missing_api_key").check(query)
        }

        @Test("A token is stored as a digest only, expires, and says when")
        func expiry() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser(role: "user", "--days", "1")
            let row = try await site.sql(
                """
                SELECT octet_length(digest), round(extract(epoch FROM expires_at - created_at)),
                    to_jsonb(t)::text LIKE '%\(user.token.dropFirst(6))%'
                FROM api_tokens t WHERE user_id = '\(user.id)'
                """)
            #expect(row == "32|86400|f")
            #expect(try await site.get("/v1/models", user).status == 200)
            try await site.sql(
                "UPDATE api_tokens SET expires_at = now() WHERE user_id = '\(user.id)'")
            let isExpired = try await waitUntil {
                Self.isRefusal(try await Self.burst(site, user.token))
            }
            #expect(isExpired)
            Expected(401, "expired_api_key").check(try await site.get("/v1/models", user))
            let byDefault = try await site.makeUser()
            let never = try await site.makeUser(role: "user", "--days", "never")
            let days = try await site.sql(
                """
                SELECT round(extract(epoch FROM expires_at - created_at) / 86400) FROM api_tokens
                WHERE user_id IN ('\(byDefault.id)', '\(never.id)') ORDER BY expires_at
                """)
            #expect(days == "90")
        }

        @Test("A revoked token is refused on every worker within a second; the user's others go on")
        func revocation() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let second = try await site.mint(user.name)
            let third = try await site.mint(user.name)
            #expect(Set([user.token, second, third]).count == 3)
            for token in [second, user.token] {
                var knowing: Set<String> = []
                let isKnown = try await waitUntil {
                    let replies = try await Self.burst(site, token)
                    #expect(replies.keys.sorted() == [200])
                    knowing.formUnion(replies[200] ?? [])
                    return knowing.count == 2
                }
                #expect(isKnown, "both workers know the token")
                try await site.archway("token", "revoke", token)
                let revokedAt = Loop.now
                var last = revokedAt
                let isRefused = try await waitUntil {
                    let askedAt = Loop.now
                    let replies = try await Self.burst(site, token)
                    // How long the replies took to get here says nothing of when they were decided.
                    if replies[200] != nil { last = askedAt }
                    return Self.isRefusal(replies)
                }
                #expect(isRefused)
                figure("a revoked token was last accepted \(last - revokedAt) ms after")
                #expect(last - revokedAt < 1000)
            }
            #expect(try await site.send("GET", "/v1/models", third).status == 200)
            let list = try await site.archway("token", "list", "--user", user.name)
            #expect(list.split(separator: "\n").filter { $0.contains("revoked") }.count == 2)
            #expect(!list.contains(third))
        }

        @Test("POST api-token replaces all that a user has; GET and DELETE tell the truth")
        func replacement() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            let second = try await site.mint(user.name)
            let path = "/api/users/me/api-token"
            #expect(try await site.get(path, user).json["has_token"].boolean == true)
            let reply = try await site.send("POST", path, user.token, #"{"name":"mine"}"#)
            #expect(reply.status == 201)
            let token = try #require(reply.json["token"].string)
            #expect(reply.json["name"].string == "mine")
            #expect(reply.json["expires_at"].integer != nil)
            for old in [user.token, second] {
                let isRefused = try await waitUntil {
                    try await site.send("GET", "/v1/models", old).status == 401
                }
                #expect(isRefused)
            }
            #expect(try await site.send("GET", "/v1/models", token).status == 200)
            let gone = try await site.send("DELETE", path, token)
            #expect(gone.json["revoked"].boolean == true)
            // Every one of them by itself, as the command line's mintings were.
            let untold = try await site.sql(
                """
                SELECT count(*) FROM api_tokens t WHERE user_id = '\(user.id)' AND (
                    SELECT string_agg(action, ' ' ORDER BY action) FROM audit WHERE target = t.id
                        AND details::jsonb ->> 'user' = t.user_id
                ) IS DISTINCT FROM 'token.minted token.revoked'
                """)
            #expect(untold == "0")
            let isRefused = try await waitUntil {
                try await site.send("GET", path, token).status == 401
            }
            #expect(isRefused)
        }

        @Test("A token's scopes and models bound what it may do, and what it may mint")
        func scopes() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser(role: "admin", "--scopes", "models,tokens")
            Expected(403, "permission_denied").check(try await site.answer(Chat("echo"), user))
            Expected(403, "permission_denied").check(try await site.get("/api/admin/users", user))
            #expect(try await site.get("/v1/models", user).status == 200)
            let path = "/api/users/me/api-token"
            for body in [#"{"scopes":["admin"]}"#, #"{"scopes":["assert_user"]}"#] {
                Expected(403, "permission_denied")
                    .check(try await site.send("POST", path, user.token, body))
            }
            Expected(400, "invalid_value", param: "scopes[0]")
                .check(try await site.send("POST", path, user.token, #"{"scopes":["all"]}"#))
            Expected(400, "invalid_value", param: "expires_in_days")
                .check(try await site.send("POST", path, user.token, #"{"expires_in_days":0}"#))
            let misspelled = #"{"models":["echo","nope"],"scopes":["models"]}"#
            Expected(400, "invalid_value", param: "models[1]")
                .check(try await site.send("POST", path, user.token, misspelled))
            #expect(try await site.get("/v1/models", user).status == 200)
            let narrow = try await site.send(
                "POST", path, user.token, #"{"models":["echo"],"scopes":["models"]}"#)
            let token = try #require(narrow.json["token"].string)
            let models = try await site.send("GET", "/v1/models", token)
            #expect(models.json["data"].array.map { $0["id"].string } == ["echo"])
            Expected(404, "model_not_found", param: "model")
                .check(try await site.send("GET", "/v1/models/usage", token))
        }

        /// Both workers have refused the token, and none has taken it.
        private static func isRefusal(_ replies: [Int: Set<String>]) -> Bool {
            replies[401]?.count == 2 && replies[200] == nil
        }

        /// Many requests at once; the workers that gave each status.
        private static func burst(
            _ site: Deployment, _ token: String
        ) async throws -> [Int: Set<String>] {
            let replies = try await concurrently(12) { _ in
                let reply = try await site.send("GET", "/v1/models", token)
                return (reply.requestID, reply.status)
            }
            let processes = await site.log.processes(of: replies.map(\.0))
            var found: [Int: Set<String>] = [:]
            for (id, status) in replies {
                found[status, default: []].insert(processes[id] ?? "unknown")
            }
            return found
        }
    }
}
