import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Parameters that a caller would like to set") @LoopActor struct Spoofing {
        /// Names that some program or other trusts.
        nonisolated static let names = [
            "Remote-User", "REMOTE_USER", "Remote_User", "X-Remote-User", "HTTP_REMOTE_USER",
            "HTTP-REMOTE-USER",
            "X-Forwarded-User", "X-Auth-Request-User", "Auth-Type", "AUTH_TYPE", "Redirect-Status",
            "REDIRECT_STATUS",
            "Request-Id", "REQUEST_ID", "Remote-Addr", "REMOTE_ADDR", "HTTPS", "Script-Name",
            "SCRIPT_NAME",
            "Request-Uri", "REQUEST_URI", "Request-Method", "X-HTTP-Method-Override",
            "X-Original-URL", "X-Rewrite-URL",
            "Content_Length", "Content_Type", "FCGI-Role", "FCGI_ROLE", "Query-String",
            "QUERY_STRING",
        ]

        @Test(
            "E8: No header is one of them, at the shipped snippet and at Debian's fastcgi_params",
            arguments: [Door.site, .stock])
        func headers(_ door: Door) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for name in Self.names {
                for value in ["alice", "/api/admin/users", "DELETE", "200"] {
                    var request = WebRequest("GET", "/api/users/me")
                    request.fields = [(name, value)]
                    Expected(401, "missing_api_key").check(
                        try await site.call(request, at: door).reply())
                }
                var request = WebRequest("GET", "/api/users/me")
                request.fields = [
                    (name, "alice"), ("Remote-User", "alice"), ("Auth-Type", "Basic"),
                    ("Authorization", "Bearer \(user.token)"),
                ]
                let reply = try await site.call(request, at: door).reply()
                #expect(
                    reply.status == 200 && reply.json["id"].string == user.id,
                    "\(name) \(reply.text)")
            }
        }

        @Test(
            "E8: A request's id is the web server's, or one of ours, never the caller's",
            arguments: [Door.site, .stock])
        func requestIDs(_ door: Door) async throws {
            let site = try await Shared.deployment()
            for name in ["X-Request-Id", "Request-Id", "REQUEST_ID", "X-Client-Request-Id"] {
                var request = WebRequest("GET", "/health/live")
                request.fields = [(name, "chosen")]
                let reply = try await site.call(request, at: door).reply()
                #expect(reply.status == 200)
                #expect(reply.requestID.count == 32 && reply.requestID != "chosen")
            }
        }

        @Test(
            "E8: An unchecked name in a Basic header signs nobody in, whatever vouches for it",
            arguments: [Door.site, .stock])
        func basic(_ door: Door) async throws {
            let site = try await Shared.deployment()
            let credentials = Data("alice:anything".utf8).base64EncodedString()
            for vouchers in [
                [], ["Auth-Type"], ["Auth-Type", "Remote-User"], ["AUTH_TYPE", "REMOTE_USER"],
            ] {
                var request = WebRequest("GET", "/api/users/me")
                request.fields = vouchers.map { ($0, "Basic") }
                request.fields.append(("Authorization", "Basic \(credentials)"))
                Expected(401, "invalid_api_key").check(
                    try await site.call(request, at: door).reply())
            }
        }

        @Test("E8: At the socket, only parameters without HTTP_ before them count")
        func atTheSocket() async throws {
            let site = try await Shared.deployment()
            func me(_ parameters: [(String, String)]) async throws -> FastCGIClient.Reply {
                let client = try FastCGIClient(site.socket)
                defer { client.close() }
                await client.send(FastCGIRecords.request("GET", "/api/users/me", parameters))
                return await client.reply(seconds: 20)
            }
            for name in Self.names {
                let field = "HTTP_" + name.uppercased().replacing("-", with: "_")
                #expect(try await me([(field, "alice")]).status == 401, "\(field)")
            }
            for name in [
                "Remote_User", "remote_user", "REMOTE-USER", " REMOTE_USER", "REMOTE_USER ",
                "XREMOTE_USER",
            ] {
                #expect(try await me([(name, "alice")]).status == 401, "\(name)")
            }
            let alice = try await me([("REMOTE_USER", "alice")])
            #expect(alice.status == 200)
            #expect(Tree(alice.body)["name"].string == "alice")
        }
    }
}
