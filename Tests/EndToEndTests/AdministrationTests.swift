import EventLoop
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Administration over REST") @LoopActor struct Administration {
        @Test("An admin creates, lists, finds and changes users")
        func users() async throws {
            let site = try await Shared.deployment()
            let admin = try await site.makeUser(role: "admin")
            let path = "/api/admin/users"
            let made = try await site.send(
                "POST", path, admin.token, #"{"name":"zoe","email":"zoe@example.org"}"#)
            #expect(made.status == 201)
            #expect(made.json["role"].string == "user")
            let id = try #require(made.json["id"].string)
            Expected(400, "invalid_value", param: "name")
                .check(try await site.send("POST", path, admin.token, #"{"name":"zoe"}"#))
            Expected(400, "missing_required_parameter", param: "name")
                .check(try await site.send("POST", path, admin.token, "{}"))
            Expected(400, "invalid_value", param: "role").check(
                try await site.send("POST", path, admin.token, #"{"name":"y","role":"king"}"#))
            let found = try await site.get("\(path)/\(id)", admin)
            #expect(found.json["email"].string == "zoe@example.org")
            Expected(404, "not_found").check(try await site.get("\(path)/user_nobody", admin))

            var (after, seen) = ("", [String]())
            repeat {
                let page = try await site.get("\(path)?limit=2\(after)", admin)
                let ids = page.json["data"].array.compactMap { $0["id"].string }
                #expect(page.json["first_id"].string == ids.first)
                seen += ids
                after = page.json["has_more"].boolean == true ? "&after=\(ids.last ?? "")" : ""
            } while !after.isEmpty
            let count = try await site.sql("SELECT count(*) FROM users")
            #expect(seen.count == Int(count) && Set(seen).count == seen.count)
            #expect(seen.contains(id))
            for limit in ["0", "101", "x"] {
                Expected(400, "invalid_value", param: "limit")
                    .check(try await site.get("\(path)?limit=\(limit)", admin))
            }
            Expected(404, "not_found", param: "after")
                .check(try await site.get("\(path)?after=nope", admin))
            Expected(400, "unknown_parameter", param: "order")
                .check(try await site.get("\(path)?order=desc", admin))
            let body = #"{"name":"yan","rôle":"admin"}"#
            Expected(400, "unknown_parameter", param: "rôle")
                .check(try await site.send("POST", path, admin.token, body))
        }

        @Test("A changed role and a disabled user hold on every worker at once")
        func changes() async throws {
            let site = try await Shared.deployment()
            let (admin, user) = try await (site.makeUser(role: "admin"), site.makeUser())
            let path = "/api/admin/users/\(user.id)"
            func becomes(_ status: Int, _ question: String) async throws {
                let holds = try await waitUntil {
                    let replies = try await concurrently(8) { _ in
                        try await site.get(question, user).status
                    }
                    return Set(replies) == [status]
                }
                #expect(holds, "\(question) becomes \(status)")
            }
            try await becomes(200, "/v1/models")
            let promoted = try await site.send("PATCH", path, admin.token, #"{"role":"admin"}"#)
            #expect(promoted.json["role"].string == "admin")
            try await becomes(200, "/api/admin/users")
            let disabled = try await site.send("PATCH", path, admin.token, #"{"disabled":true}"#)
            #expect(disabled.json["disabled"].boolean == true)
            try await becomes(401, "/v1/models")
            let body = #"{"disabled":false,"role":"pending"}"#
            #expect(try await site.send("PATCH", path, admin.token, body).status == 200)
            try await becomes(403, "/v1/models")
            Expected(400, "invalid_type", param: "disabled")
                .check(try await site.send("PATCH", path, admin.token, #"{"disabled":1}"#))
            // Nothing of a change is made that holds a member without effect.
            let misspelled = #"{"role":"user","disable":true}"#
            Expected(400, "unknown_parameter", param: "disable")
                .check(try await site.send("PATCH", path, admin.token, misspelled))
            #expect(try await site.get(path, admin).json["role"].string == "pending")
        }

        @Test("An admin mints, lists and revokes a user's tokens, and every change is audited")
        func tokens() async throws {
            let site = try await Shared.deployment()
            let (admin, user) = try await (site.makeUser(role: "admin"), site.makeUser())
            let path = "/api/admin/users/\(user.id)/api-tokens"
            let misspelled = #"{"name":"second","scope":["models"]}"#
            Expected(400, "unknown_parameter", param: "scope")
                .check(try await site.send("POST", path, admin.token, misspelled))
            let minted = try await site.send(
                "POST", path, admin.token, #"{"name":"second","expires_in_days":null}"#)
            #expect(minted.status == 201)
            #expect(minted.json["expires_at"].isNull)
            let token = try #require(minted.json["token"].string)
            let id = try #require(minted.json["id"].string)
            #expect(try await site.send("GET", "/v1/models", token).status == 200)
            let list = try await site.get(path, admin)
            #expect(list.json["data"].array.count == 2)
            #expect(!list.text.contains(token))
            #expect(
                list.json["data"].array.contains { $0["hint"].string == String(token.suffix(4)) })
            let revoked = try await site.send("DELETE", "\(path)/\(id)", admin.token)
            #expect(revoked.json["revoked_at"].integer != nil)
            let isRefused = try await waitUntil {
                try await site.send("GET", "/v1/models", token).status == 401
            }
            #expect(isRefused)
            #expect(try await site.get("/v1/models", user).status == 200)
            // A token of another user is not found under this one.
            let other = try await site.get("/api/admin/users/\(admin.id)/api-tokens", admin)
            let foreign = try #require(other.json["data"][0]["id"].string)
            Expected(404, "not_found")
                .check(try await site.send("DELETE", "\(path)/\(foreign)", admin.token))
            #expect(try await site.get("/v1/models", admin).status == 200)
            let audit = try await site.sql(
                """
                SELECT string_agg(action, ' ' ORDER BY action) FROM audit
                WHERE target = '\(id)' AND actor = '\(admin.id)'
                """)
            #expect(audit == "token.minted token.revoked")
        }

        @Test("The last enabled administrator stays one")
        func lastAdministrator() async throws {
            let site = try await Deployment.start(DeploymentPlan())
            let admin = try await site.makeUser(role: "admin")
            let path = "/api/admin/users/\(admin.id)"
            for (body, parameter) in [
                (#"{"disabled":true}"#, "disabled"), (#"{"role":"user"}"#, "role"),
                (#"{"role":"user","disabled":true}"#, "disabled"),
            ] {
                let refused = try await site.send("PATCH", path, admin.token, body)
                Expected(400, "invalid_value", param: parameter).check(refused)
                #expect(refused.text.contains("last enabled administrator"), "\(refused.text)")
            }
            let other = try await site.makeUser(role: "admin")
            let stepped = try await site.send("PATCH", path, admin.token, #"{"role":"user"}"#)
            #expect(stepped.json["role"].string == "user")
            let audit = try await site.sql(
                """
                SELECT string_agg(action, ' ') FROM audit
                WHERE target = '\(admin.id)' AND actor = '\(admin.id)'
                """)
            #expect(audit == "user.role_changed")
            Expected(400, "invalid_value", param: "disabled").check(
                try await site.send(
                    "PATCH", "/api/admin/users/\(other.id)", other.token, #"{"disabled":true}"#))
            await site.stop()
        }

        @Test(
            "The command line disables and enables users, and mints nothing that would be refused")
        func disabledOnHost() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser(role: "admin")
            #expect(try await site.get("/v1/models", user).status == 200)
            #expect(try await site.archway("user", "disable", user.name) == "Disabled \(user.id).")
            let isRefused = try await waitUntil {
                try await site.get("/v1/models", user).status == 401
            }
            #expect(isRefused)
            for who in [["--user", user.name], ["--admin", "--user", user.name]] {
                let outcome = try await Program.run(
                    [Deployment.program, "token", "create"] + who
                        + ["--config", site.configurationFile])
                #expect(outcome.code == 1 && outcome.output.isEmpty)
                #expect(outcome.errors.contains("archway user enable \(user.id)"))
            }
            #expect(try await site.archway("user", "enable", user.id) == "Enabled \(user.id).")
            let isServed = try await waitUntil {
                try await site.get("/v1/models", user).status == 200
            }
            #expect(isServed)
            let audit = try await site.sql(
                """
                SELECT string_agg(actor || ' ' || action, ', ' ORDER BY at) FROM audit
                WHERE target = '\(user.id)' AND action IN ('user.disabled', 'user.enabled')
                """)
            #expect(audit == "host user.disabled, host user.enabled")
        }

        @Test("The command line takes no name, no scopes and no user that the API would not take")
        func namesOnHost() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            func refusal(_ words: String...) async throws -> String {
                let outcome = try await Program.run(
                    [Deployment.program] + words + ["--config", site.configurationFile])
                #expect(outcome.code != 0 && outcome.output.isEmpty)
                return outcome.errors
            }
            let long = String(repeating: "x", count: 201)
            for name in ["", " ", "a\nb", long] {
                #expect(try await refusal("user", "create", name).contains("the name cannot be"))
                let minting = try await refusal(
                    "token", "create", "--user", user.name, "--name", name)
                #expect(minting.contains("--name cannot be used"))
            }
            let scopes = try await refusal("token", "create", "--user", user.name, "--scopes", "")
            #expect(scopes.contains("at least one scope"))
            #expect(try await refusal("user", "frob").contains("unknown command user frob"))
            // Another one of that name, whom a front end has brought.
            try await site.sql(
                """
                INSERT INTO users (id, source, name, role, created_at)
                VALUES ('\(user.id)2', 'front_end', '\(user.name)', 'user', now())
                """)
            let several = try await refusal("user", "disable", user.name)
            #expect(several.contains("\(user.id) (local), \(user.id)2 (front_end)"), "\(several)")
            #expect(try await site.get("/v1/models", user).status == 200)
        }

        @Test("The program tells its version")
        func version() async throws {
            let words = ["--version", "version"]
            for word in words {
                let line = try await Program.output([Deployment.program, word])
                #expect(line.wholeMatch(of: /archway \d+\.\d+\.\d+/) != nil, "\(line)")
            }
        }

        @Test("The first admin comes from the command line")
        func firstAdmin() async throws {
            let site = try await Shared.deployment()
            let token = try await site.archway("token", "create", "--admin", "--user", "root")
            Secrets.note(token: token)
            let me = try await site.send("GET", "/api/users/me", token)
            #expect(me.json["role"].string == "admin")
            #expect(me.json["actions"].array.contains { $0.string == "admin" })
        }
    }
}
