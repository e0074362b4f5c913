import EventLoop
import FastCGI
import HTTP
import HTTPClient
import JSON
import OpenAI
import PostgreSQL
import Providers
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("The front door")
@LoopActor
struct FrontDoorTests {
    private static let token = "archi_00000000000000000000000000000000000000000002CZclj"
    private static let bearer = ("HTTP_AUTHORIZATION", "Bearer \(token)")

    /// What no caller may see.
    private static let internals = [
        "nonexistent", "SELECT", "libpq", "PQ", "Error(", "swift", "host=", "22021", "sqlstate",
        "pepper", "0x", "/proc", "errno",
    ]

    /// The status and the code of an error in the one shape that errors have.
    private static func face(_ reply: FastCGIClient.Reply) throws -> String {
        #expect(reply.ending == .complete)
        #expect(reply.field("content-type") == "application/json")
        #expect(reply.field("content-length") == String(reply.body.count))
        let root = try Document(reply.body).root
        #expect(root.members.map(\.key) == ["error"])
        let error = try #require(root["error"])
        #expect(error.members.map(\.key) == ["message", "type", "param", "code"])
        for word in internals {
            #expect(!reply.text.lowercased().contains(word.lowercased()), "\(word) is told")
        }
        return "\(reply.status ?? 0) \(error["code"]?.string ?? "")"
    }

    @Test("answers health to anybody, and truly")
    func health() async throws {
        let house = try House()
        let live = try await house.send("GET", "/health/live")
        #expect(live.status == 200)
        #expect(live.text == #"{"status":"ok"}"#)
        let ready = try await house.send("GET", "/health/ready/")
        #expect(ready.status == 503)
        #expect(ready.text == #"{"status":"unavailable","reasons":["database unavailable"]}"#)
        let head = try await house.send("HEAD", "/health/live")
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.field("content-length") == "15")
        await house.close()
    }

    @Test("refuses paths and methods that are not there before it looks who asks")
    func paths() async throws {
        let house = try House()
        #expect(try Self.face(await house.send("GET", "/nowhere")) == "404 not_found")
        let wrong = try await house.send("DELETE", "/v1/models")
        #expect(try Self.face(wrong) == "405 method_not_allowed")
        #expect(wrong.field("allow") == "GET, HEAD")
        await house.close()
    }

    @Test("tells missing and wrong tokens apart, and calls none wrong without the database")
    func tokens() async throws {
        let house = try House()
        let missing = try await house.send("GET", "/v1/models")
        #expect(try Self.face(missing) == "401 missing_api_key")
        #expect(missing.field("www-authenticate") == "Bearer")
        for value in ["Bearer x", "bearer", "Basic abc", "Bearer \(Self.token)x", "x"] {
            let wrong = try await house.send("GET", "/v1/models", [("HTTP_AUTHORIZATION", value)])
            #expect(try Self.face(wrong) == "401 invalid_api_key", "\(value)")
        }
        let conflict = try await house.send(
            "GET", "/v1/models", [Self.bearer, ("HTTP_X_API_KEY", "another")])
        #expect(try Self.face(conflict) == "400 invalid_value")
        let twice = try await house.send(
            "GET", "/v1/models", [Self.bearer, ("HTTP_AUTHORIZATION", "Bearer another")])
        #expect(try Self.face(twice) == "400 invalid_value")
        for form in [Self.bearer, ("HTTP_X_API_KEY", Self.token), ("HTTP_API_KEY", Self.token)] {
            let unknown = try await house.send("GET", "/v1/models", [form])
            #expect(try Self.face(unknown) == "503 database_unavailable")
            #expect(unknown.field("retry-after") == "2")
        }
        await house.close()
    }

    @Test("lets nobody be anonymous unless the configuration does, and then as the default role")
    func anonymous() async throws {
        let house = try House { configuration in
            configuration.isAnonymousAllowed = true
            configuration.defaultRole = "guest"
            configuration.roles["guest"] = .init(actions: [.models], models: .only(["a"]))
            configuration.models = ["a", "b"].map { .init(id: $0, candidates: []) }
        }
        let list = try await house.send("GET", "/v1/models")
        #expect(list.status == 200)
        #expect(list.text.contains(#""id":"a""#) && !list.text.contains(#""id":"b""#))
        #expect(try Self.face(await house.send("GET", "/v1/models/b")) == "404 model_not_found")
        #expect(
            try Self.face(await house.send("POST", "/v1/chat/completions", body: "{}"))
                == "403 permission_denied")
        #expect(
            try Self.face(await house.send("GET", "/api/admin/users")) == "403 permission_denied")
        let wrong = try await house.send("GET", "/v1/models", [("HTTP_API_KEY", "x")])
        #expect(try Self.face(wrong) == "401 invalid_api_key")
        await house.close()
    }

    @Test("shows nobody who is nobody a stored completion, and says that there are none for him")
    func nobodysCompletions() async throws {
        let house = try House { $0.isAnonymousAllowed = true }
        let path = "/v1/chat/completions"
        for (method, path, body) in [
            ("GET", path, ""), ("GET", path + "/chatcmpl-1", ""),
            ("GET", path + "/chatcmpl-1/messages", ""), ("DELETE", path + "/chatcmpl-1", ""),
            ("POST", path + "/chatcmpl-1", #"{"metadata":{}}"#),
        ] {
            let reply = try await house.send(method, path, body: body)
            #expect(try Self.face(reply) == "403 permission_denied", "\(method) \(path)")
        }
        await house.close()
    }

    @Test("refuses bodies that are too large, of another length, type or form")
    func bodies() async throws {
        let house = try House { $0.isAnonymousAllowed = true }
        func chat(_ body: String, _ parameters: [(String, String)] = []) async throws -> String {
            try Self.face(
                await house.send("POST", "/v1/chat/completions", parameters, body: body))
        }
        #expect(try await chat(String(repeating: " ", count: 10_001)) == "413 request_too_large")
        #expect(try await chat("{}", [("CONTENT_LENGTH", "3")]) == "400 invalid_json")
        #expect(
            try await chat("{}", [("CONTENT_TYPE", "text/plain")]) == "415 unsupported_media_type")
        #expect(try await chat("") == "400 invalid_json")
        #expect(try await chat("{") == "400 invalid_json")
        #expect(try await chat("[]") == "400 invalid_type")
        #expect(try await chat("{}") == "400 missing_required_parameter")
        let unknown = #"{"model":"x","messages":[{"role":"user","content":"a"}]}"#
        #expect(try await chat(unknown) == "404 model_not_found")
        await house.close()
    }

    @Test("refuses to run more models than it can carry, and answers what needs none")
    func overload() async throws {
        let house = try House {
            $0.isAnonymousAllowed = true
            $0.streamsPerWorker = 0
        }
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"] {
            let reply = try await house.send("POST", path)
            #expect(try Self.face(reply) == "503 overloaded")
            #expect(reply.field("retry-after") != nil)
        }
        #expect(try await house.send("GET", "/v1/models").status == 200)
        #expect(try await house.send("GET", "/health/live").status == 200)
        await house.close()
    }

    @Test("names every reply, by the web server's name for the request if that is fit")
    func requestID() async throws {
        let house = try House()
        let named = try await house.send("GET", "/health/live", [("REQUEST_ID", "abc-DEF_1")])
        #expect(named.field("x-request-id") == "abc-DEF_1")
        #expect(named.field("openai-version") == "2020-10-01")
        #expect(named.field("openai-processing-ms").flatMap { Int($0) } != nil)
        for id in ["", "a b", "a\r\nx-evil: 1", String(repeating: "a", count: 65), "é"] {
            let reply = try await house.send("GET", "/nowhere", [("REQUEST_ID", id)])
            let made = try #require(reply.field("x-request-id"))
            #expect(made.count == 32 && made.allSatisfy(\.isHexDigit))
            #expect(reply.field("x-evil") == nil)
        }
        await house.close()
    }

    @Test("has a safe face for every error, and a full one for the log")
    func faces() {
        struct Unforeseen: Error {}
        let failure = ProviderFailure(
            .providerTimeout, isRetriable: true, detail: "http://internal:1 said no")
        let cases: [(any Error, String)] = [
            (UnknownCursor(), "404 not_found"),
            (Unforeseen(), "500 internal_error"), (failure, "504 provider_timeout"),
            (APIError.overloaded, "503 overloaded"), (CancellationError(), "503 draining"),
            (ReplyError.notOpen, "500 internal_error"),
            (ClientError(.unreachable, "secret"), "502 provider_unreachable"),
            (ClientError(.tls, "secret"), "502 provider_unreachable"),
            (ClientError(.timedOut(.connect), "secret"), "502 provider_unreachable"),
            (ClientError(.timedOut(.firstByte), "secret"), "504 provider_timeout"),
            (ClientError(.disconnected, "secret"), "502 provider_disconnected"),
            (ClientError(.badResponse, "secret"), "502 provider_bad_response"),
            (ClientError(.tooLarge, "secret"), "502 provider_bad_response"),
        ]
        for (error, expected) in cases {
            let face = APIError(of: error)
            #expect("\(face.status.rawValue) \(face.code ?? "")" == expected)
            let text = String(decoding: face.body(), as: UTF8.self)
            #expect(!text.contains("secret") && !text.contains("internal:1"))
        }
        #expect(fullFace(of: failure).contains("http://internal:1 said no"))
        #expect(fullFace(of: ClientError(.tls, "why")).contains("why"))
        #expect(fullFace(of: Unforeseen()).contains("Unforeseen"))
    }
}

@Suite("Refusals that the audit has a row of")
struct NotedRefusalsTests {
    /// Whether each deserves a row, if they come in this order; times are in seconds.
    private static func rows(
        of refusals: [(reason: String, actor: String, time: Int64)]
    ) -> [Bool] {
        var noted = NotedRefusals()
        return refusals.map { noted.isNew($0.reason, of: $0.actor, at: $0.time * 1000) }
    }

    @Test("are not noted again within a minute; those of others, and for other reasons, are")
    func minute() {
        let rows = Self.rows(of: [
            ("chat", "ada", 0), ("chat", "ada", 59), ("models", "ada", 59), ("chat", "bob", 59),
            ("chat", "ada", 60), ("chat", "ada", 61),
        ])
        #expect(rows == [true, false, true, true, true, false])
    }

    @Test("are remembered up to a number, and the old ones are forgotten first")
    func bounds() {
        let many = (1..<NotedRefusals.limit).map { ("chat", "user \($0)", Int64(30)) }
        let rows = Self.rows(
            of: [("chat", "ada", 0)] + many + [
                ("chat", "bob", 70), ("chat", "user 1", 70), ("chat", "eve", 70),
                ("chat", "user 1", 71),
            ])
        #expect(rows.prefix(NotedRefusals.limit).allSatisfy { $0 })
        // The third finds no room and nothing old: memory begins anew.
        #expect(rows.suffix(4) == [true, false, true, true])
    }
}
