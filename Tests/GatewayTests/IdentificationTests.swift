import Crypto
import EventLoop
import HTTP
import JSON
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("Who a request comes from")
@LoopActor
struct IdentificationTests {
    /// A house with a database, and the requests that a token may make in it.
    private static func house(
        _ change: (inout Configuration) -> Void = { _ in }
    ) async throws -> (house: House, pool: PostgreSQL.Pool) {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let pool = PostgreSQL.Pool(
            conninfo: conninfo, size: 2, statementTimeout: 30_000, waitTimeout: 30_000)
        try await Migrations.apply(at: .now, in: pool)
        let house = try House(conninfo, change)
        #expect(
            try await waitUntil {
                try await house.send("GET", "/health/ready").status == 200
            })
        return (house, pool)
    }

    private static func mint(
        _ scopes: [String], role: String = "user", in pool: PostgreSQL.Pool
    ) async throws -> String {
        let user = User(
            id: Identifier.make("user"), source: .local, name: Identifier.digits(), role: role,
            createdAt: .now)
        try await Users.create(user, in: pool)
        var request = TokenRequest(lifetime: 1)
        request.scopes = scopes
        let (secret, token) = try request.mint(
            for: user.id, pepper: HMAC.Key(Array(House.pepper.utf8)), pepperVersion: 1)
        try await Tokens.insert(token, in: pool)
        return secret
    }

    private static func name(_ reply: FastCGIClient.Reply) -> String {
        guard reply.status == 200, let root = try? Document(reply.body).root else {
            return "\(reply.status ?? 0)"
        }
        return "\(root["source"]?.string ?? "") \(root["name"]?.string ?? "")"
    }

    @Test("is the token's user, the web server's, or whom a trusted front end names")
    func sources() async throws {
        let (house, pool) = try await Self.house()
        let plain = ("HTTP_API_KEY", try await Self.mint(["*"], in: pool))
        let trusted = ("HTTP_API_KEY", try await Self.mint(["*", "assert_user"], in: pool))
        let human = ("HTTP_X_OPENWEBUI_USER_ID", "J%C3%BCrgen%20%25")
        func me(_ parameters: (String, String)...) async throws -> String {
            Self.name(try await house.send("GET", "/api/users/me", parameters))
        }
        #expect(try await me(plain, human).hasPrefix("local "))
        #expect(try await me(trusted, human) == "front_end Jürgen %")
        #expect(try await me(trusted).hasPrefix("local "))
        let email = ("HTTP_X_OPENWEBUI_USER_EMAIL", "a@b.c")
        #expect(try await me(trusted, email) == "front_end a@b.c")
        #expect(try await me(human) == "401")
        #expect(try await me(("REMOTE_USER", "alice")) == "web_server alice")
        #expect(try await me(("REMOTE_USER", "alice"), plain).hasPrefix("local "))
        #expect(try await me(("HTTP_REMOTE_USER", "alice")) == "401")
        await house.close()
    }

    @Test("has a name that can be told from all others and stored")
    func names() async throws {
        let (house, pool) = try await Self.house()
        let trusted = ("HTTP_API_KEY", try await Self.mint(["*", "assert_user"], in: pool))
        for (name, expected) in [
            (String(repeating: "a", count: 200), 200), (String(repeating: "a", count: 201), 403),
            ("a%00b", 400), ("%zz", 400), ("a%FF", 400), ("a\u{FFFD}", 400), ("", 200),
        ] {
            let parameters = [trusted, ("HTTP_X_OPENWEBUI_USER_ID", name)]
            let reply = try await house.send("GET", "/api/users/me", parameters)
            #expect(reply.status == expected, "\(name) \(reply.text)")
            #expect(!reply.text.contains("22021"))
        }
        for (field, name) in [
            ("HTTP_X_OPENWEBUI_USER_ID", "X-OpenWebUI-User-Id"),
            ("HTTP_X_OPENWEBUI_USER_EMAIL", "X-OpenWebUI-User-Email"),
        ] {
            for value in ["a%00b", "a%0Ab", "a%FFb", "%"] {
                let reply = try await house.send(
                    "GET", "/api/users/me", [trusted, (field, value)])
                #expect(reply.status == 400)
                #expect(reply.text.contains(#""param":"\#(name)""#), "\(reply.text)")
            }
            // Of whoever may not assert, the field means nothing.
            let plain = ("HTTP_API_KEY", try await Self.mint(["*"], in: pool))
            let reply = try await house.send("GET", "/api/users/me", [plain, (field, "a%00b")])
            #expect(reply.status == 200)
        }
        for (name, expected) in [("Jürgen", 200), ("a\u{1}b", 403), ("a\u{FFFD}", 403)] {
            let reply = try await house.send("GET", "/api/users/me", [("REMOTE_USER", name)])
            #expect(reply.status == expected, "\(name)")
        }
        await house.close()
    }

    @Test("is believed of a browser only if no page of another site can have sent the request")
    func foreignPages() async throws {
        let (house, pool) = try await Self.house {
            $0.defaultRole = "admin"
        }
        let ada = ("REMOTE_USER", "ada")
        let host = ("HTTP_HOST", "gateway.example")
        let create = #"{"name":"\#(Identifier.digits())"}"#
        for (method, path, body) in [
            ("POST", "/api/admin/users", create), ("POST", "/api/users/me/api-token", ""),
            ("POST", "/v1/chat/completions", "{}"),
        ] {
            for field in [
                ("HTTP_SEC_FETCH_SITE", "cross-site"), ("HTTP_SEC_FETCH_SITE", "same-site"),
                ("HTTP_ORIGIN", "https://elsewhere.example"), ("HTTP_ORIGIN", "null"),
                ("HTTP_ORIGIN", "https://gateway.example.elsewhere.example"),
                ("HTTP_ORIGIN", "https://elsewhere.example:gateway.example"),
            ] {
                let reply = try await house.send(method, path, [ada, host, field], body: body)
                #expect(reply.status == 403, "\(path) \(field) \(reply.text)")
            }
        }
        for (host, origin) in [
            ("gateway.example", "https://Gateway.example:8443"), ("[::1]:80", "http://[::1]:8080"),
            ("gateway.example:80", "http://gateway.example"), ("gateway.example", nil),
        ] {
            let from = origin.map { [("HTTP_ORIGIN", $0), ("HTTP_SEC_FETCH_SITE", "same-origin")] }
            let fields = [ada, ("HTTP_HOST", host)] + (from ?? [])
            let reply = try await house.send("POST", "/api/users/me/api-token", fields)
            #expect(reply.status == 201, "\(host) \(origin ?? "-") \(reply.text)")
        }
        // Whoever has a token may send it from everywhere.
        let token = ("HTTP_API_KEY", try await Self.mint(["*"], role: "admin", in: pool))
        let plain = [token, host, ("HTTP_ORIGIN", "null"), ("HTTP_SEC_FETCH_SITE", "cross-site")]
        let other = #"{"name":"\#(Identifier.digits())"}"#
        #expect(try await house.send("POST", "/api/admin/users", plain, body: other).status == 201)
        // A list that comes as a whole has no pages to ask for.
        let path = "/api/admin/users/none/api-tokens"
        #expect(try await house.send("GET", path + "?limit=1", [token]).status == 400)
        #expect(try await house.send("GET", path, [token]).status == 404)
        #expect(try await house.send("GET", "/v1/models?limit=1", [token]).status == 200)
        await house.close()
    }

    @Test("may not pass on the right to name others, nor have a change half done")
    func administration() async throws {
        let (house, pool) = try await Self.house()
        let admin = ("HTTP_API_KEY", try await Self.mint(["*"], role: "admin", in: pool))
        let trusted = ("HTTP_API_KEY", try await Self.mint(["*", "assert_user"], in: pool))
        let asserting = #"{"scopes":["assert_user"]}"#
        let human = ("HTTP_X_OPENWEBUI_USER_ID", "human")
        let own = "/api/users/me/api-token"
        #expect(try await house.send("POST", own, [trusted, human], body: asserting).status == 403)
        #expect(try await house.send("POST", own, [trusted, human]).status == 201)
        let created = try await house.send(
            "POST", "/api/admin/users", [admin], body: #"{"name":"bob"}"#)
        let id = try #require(try Document(created.body).root["id"]?.string)
        let user = "/api/admin/users/\(id)"
        let half = try await house.send(
            "PATCH", user, [admin], body: #"{"role":"admin","disabled":1}"#)
        #expect(half.status == 400)
        #expect(try await house.send("GET", user, [admin]).text.contains(#""role":"user""#))
        let minted = try await house.send("POST", user + "/api-tokens", [admin], body: asserting)
        #expect(minted.status == 201)
        let nul = try await house.send(
            "POST", "/api/admin/users", [admin], body: #"{"name":"a\u0000b"}"#)
        #expect(nul.status == 400)
        for email in ["not an email", "@b", "a@", "a"] {
            let refused = try await house.send(
                "POST", "/api/admin/users", [admin],
                body: #"{"name":"eve","email":"\#(email)"}"#)
            #expect(refused.status == 400)
            #expect(refused.text.contains(#""param":"email""#), "\(email)")
        }
        for path in ["/api/admin/users/%00", "/api/admin/users?after=%00"] {
            #expect(try await house.send("GET", path, [admin]).status == 400)
        }
        await house.close()
    }
}
