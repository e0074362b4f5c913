import Foundation
import Testing

@Suite("The shipped nginx files", .serialized)
struct NginxTests {
    private struct Expectation {
        let status: Int, type: String, code: String
    }

    private func expect(
        _ reply: Reply, _ expected: Expectation, retries: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(reply.status == expected.status, sourceLocation: location)
        #expect(reply.fields["content-type"] == "application/json", sourceLocation: location)
        #expect(
            reply.fields["x-request-id"]?.count == 32, "\(reply.fields)", sourceLocation: location)
        #expect((reply.fields["retry-after"] != nil) == retries, sourceLocation: location)
        let error = reply.error
        #expect(
            Set(error.keys) == ["message", "type", "param", "code"], sourceLocation: location)
        #expect(error["param"] is NSNull, sourceLocation: location)
        #expect(error["type"] as? String == expected.type, sourceLocation: location)
        #expect(error["code"] as? String == expected.code, sourceLocation: location)
        #expect((error["message"] as? String)?.isEmpty == false, sourceLocation: location)
    }

    private let post = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

    @Test("nginx accepts the example site as it stands")
    func siteIsAccepted() throws {
        #expect(try Nginx.complaintsAboutSite() == "")
    }

    @Test("A body over the limit is refused in JSON that names the limit")
    func tooLarge() throws {
        let nginx = try Nginx(locations: "location / { fastcgi_pass SOCKET; }")
        let reply = try nginx.request(post + "Content-Length: 67108865\r\n\r\n{")
        expect(
            reply,
            Expectation(status: 413, type: "invalid_request_error", code: "request_too_large"))
        #expect(reply.text.contains("64 MiB"))
        // The histories of chats with pictures are larger than what nginx takes by itself.
        let large = try nginx.request(
            post + "Content-Length: 3145728\r\n\r\n" + String(repeating: " ", count: 3_145_728))
        #expect(large.status == 502)
    }

    @Test("No worker behind the socket is a 502 in JSON")
    func unreachable() throws {
        let nginx = try Nginx(locations: "location / { fastcgi_pass SOCKET; }")
        let reply = try nginx.request(post + "Content-Length: 2\r\n\r\n{}")
        let expected = Expectation(
            status: 502, type: "provider_error", code: "provider_unreachable")
        expect(reply, expected, retries: true)
    }

    @Test("nginx's own limits and faults answer in JSON")
    func limits() throws {
        let nginx = try Nginx(
            locations: "location /busy { return 503; } location /fault { return 500; }")
        let busy = try nginx.request("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n")
        expect(
            busy, Expectation(status: 503, type: "server_error", code: "overloaded"), retries: true)
        let fault = try nginx.request("GET /fault HTTP/1.1\r\nHost: a\r\n\r\n")
        expect(fault, Expectation(status: 500, type: "server_error", code: "internal_error"))
    }

    @Test(
        "What nginx cannot read, or will not pass on, is refused in JSON",
        arguments: [
            ("GET /", "Host: a\r\nHost: b\r\n", 400, "invalid_request"),
            ("GET /", "Host: a\r\nA B: c\r\n", 400, "invalid_request"),
            ("GET /", "", 400, "invalid_request"),
            ("GET /", "Host: a\r\nLong: LONG\r\n", 400, "invalid_request"),
            ("GET /v1/%2e%2e/%2e%2e/etc/passwd", "Host: a\r\n", 400, "invalid_request"),
            ("GET /v1/models%00", "Host: a\r\n", 400, "invalid_request"),
            ("GET /%zz", "Host: a\r\n", 400, "invalid_request"),
            ("TRACE /", "Host: a\r\n", 405, "method_not_allowed"),
            ("GET /LONG", "Host: a\r\n", 414, "request_too_large"),
            ("POST /", "Host: a\r\nTransfer-Encoding: x\r\n", 501, "invalid_request"),
        ])
    func unreadable(_ start: String, _ fields: String, _ status: Int, _ code: String) throws {
        let nginx = try Nginx(locations: "location / { fastcgi_pass SOCKET; }")
        let request = "\(start) HTTP/1.1\r\n\(fields)\r\n"
        let reply = try nginx.request(
            request.replacing("LONG", with: String(repeating: "x", count: 40_000)))
        expect(reply, Expectation(status: status, type: "invalid_request_error", code: code))
    }

    @Test("A version of HTTP that nginx does not speak is a 505 in JSON")
    func version() throws {
        let nginx = try Nginx(locations: "location / { fastcgi_pass SOCKET; }")
        let reply = try nginx.request("GET / HTTP/2.0\r\nHost: a\r\n\r\n")
        expect(
            reply,
            Expectation(status: 505, type: "invalid_request_error", code: "invalid_request"))
    }

    @Test("A worker that says nothing is a 504 in JSON")
    func silent() throws {
        let nginx = try Nginx(
            locations: "location / { fastcgi_read_timeout 1s; fastcgi_pass SOCKET; }")
        let silent = try UnixSocket.listen(at: nginx.socket)
        defer { close(silent) }
        let reply = try nginx.request(post + "Content-Length: 2\r\n\r\n{}")
        expect(reply, Expectation(status: 504, type: "provider_error", code: "provider_timeout"))
    }

    @Test("The worker is told the request, one id, and nothing that a caller could forge")
    func parameters() throws {
        let nginx = try Nginx(locations: "location / { fastcgi_pass SOCKET; }")
        let worker = try EchoingWorker(socket: nginx.socket)
        let reply = try nginx.request(
            "GET /v1/models?x=1 HTTP/1.1\r\nHost: gateway:81\r\nProxy: http://evil\r\n"
                + "Authorization: Basic YWRtaW46eA==\r\nRemote-User: admin\r\n"
                + "Connection: close\r\n\r\n")
        withExtendedLifetime(worker) {}
        let told = reply.parameters
        #expect(told["REQUEST_ID"]?.count == 32)
        #expect(told["REQUEST_METHOD"] == "GET")
        #expect(told["REQUEST_URI"] == "/v1/models?x=1")
        // It stands in REQUEST_URI already.
        #expect(told["QUERY_STRING"] == nil)
        #expect(told["REMOTE_ADDR"] == "127.0.0.1")
        #expect(told["HTTP_HOST"] == "gateway")
        #expect(told["HTTP_PROXY", default: ""].isEmpty)
        #expect(told["REMOTE_USER"] == nil)
        #expect(told["HTTP_REMOTE_USER"] == "admin")
    }

    @Test("A location that checks a password names the user; a wrong password reaches no worker")
    func signedIn() throws {
        let nginx = try Nginx(
            locations: """
                location / {
                    auth_basic "Archway";
                    auth_basic_user_file users;
                    set $archway_user $remote_user;
                    fastcgi_pass SOCKET;
                }
                """)
        try Data("alice:{PLAIN}right\n".utf8).write(to: nginx.folder.appending(path: "users"))
        let worker = try EchoingWorker(socket: nginx.socket)
        func get(_ credentials: String) throws -> Reply {
            let encoded = Data(credentials.utf8).base64EncodedString()
            return try nginx.request(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    + "Authorization: Basic \(encoded)\r\n\r\n")
        }
        let reply = try get("alice:right")
        #expect(reply.status == 200, "\(reply.text)")
        let told = reply.parameters
        #expect(told["REMOTE_USER"] == "alice")
        #expect(told["AUTH_TYPE"]?.isEmpty == false)
        #expect(try get("alice:wrong").status == 401)
        withExtendedLifetime(worker) {}
    }

    /// Why the worker believes no `REMOTE_USER` that repeats a Basic header, unless `AUTH_TYPE` vouches for it.
    @Test("Debian's own fastcgi_params passes a name that nobody checked, without AUTH_TYPE")
    func stockParameters() throws {
        let nginx = try Nginx(
            locations:
                "location / { include /etc/nginx/fastcgi_params; fastcgi_pass SOCKET; }")
        let worker = try EchoingWorker(socket: nginx.socket)
        let reply = try nginx.request(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + "Authorization: Basic YWRtaW46eA==\r\n\r\n")
        withExtendedLifetime(worker) {}
        #expect(reply.parameters["REMOTE_USER"] == "admin")
        #expect(reply.parameters["AUTH_TYPE"] == nil)
    }
}
