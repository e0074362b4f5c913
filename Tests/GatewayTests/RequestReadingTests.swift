import HTTP
import JSON
import OpenAI
import PostgreSQL
import Store
import Testing

@testable import Gateway

@Suite("The body of a request")
struct RequestBodyTests {
    private static func error(_ body: () throws(APIError) -> Void) -> String? {
        do throws(APIError) {
            try body()
            return nil
        } catch { return "\(error.status.rawValue) \(error.code ?? "") \(error.param ?? "")" }
    }

    @Test(
        "must be an object, and says what else it is",
        arguments: [
            ("", "400 invalid_json "), ("[]", "400 invalid_type "), ("\"x\"", "400 invalid_type "),
            ("null", "400 invalid_type "), ("1", "400 invalid_type "), ("{", "400 invalid_json "),
            ("{}x", "400 invalid_json "),
            ("{\"a\":1,\"a\":2}", "400 invalid_json a"),
        ])
    func form(_ body: String, _ expected: String) {
        #expect(
            Self.error { () throws(APIError) in _ = try RequestBody(.json(body), members: []) }
                == expected)
    }

    @Test("may be absent where it is optional, and nowhere else")
    func absent() throws {
        let body = try RequestBody(.json(""), members: ["a"], isOptional: true)
        #expect(try body.text("a") == nil)
        #expect(!body.has("a"))
        for (text, isOptional) in [("", false), (" ", true)] {
            let error = Self.error { () throws(APIError) in
                _ = try RequestBody(.json(text), members: [], isOptional: isOptional)
            }
            #expect(error == "400 invalid_json ")
        }
    }

    @Test("gives each member as what it must be, and nil where it is absent or null")
    func members() throws {
        let body = try RequestBody(
            .json(#"{"t":"é","b":false,"i":-3,"l":["a","b"],"n":null,"e":""}"#),
            members: ["t", "b", "i", "l", "n", "e", "x"])
        #expect(try body.text("t") == "é")
        #expect(try body.boolean("b") == false)
        #expect(try body.integer("i", -5...5) == -3)
        #expect(try body.texts("l") == ["a", "b"])
        for key in ["n", "x"] {
            #expect(try body.text(key) == nil)
            #expect(try body.boolean(key) == nil)
            #expect(try body.integer(key, 0...1) == nil)
            #expect(try body.texts(key) == nil)
        }
        #expect(body.has("n") && !body.has("x"))
    }

    @Test("names the path of a member that is wrong")
    func wrong() throws {
        let body = try RequestBody(
            .json(#"{"t":1,"b":"x","i":1.5,"big":9,"l":"a","m":["a",1],"e":"","o":{}}"#),
            members: ["t", "b", "i", "big", "l", "m", "e", "o"])
        let cases: [(String, () throws(APIError) -> Void)] = [
            ("400 invalid_type t", { () throws(APIError) in _ = try body.text("t") }),
            ("400 invalid_value e", { () throws(APIError) in _ = try body.text("e") }),
            ("400 invalid_type o", { () throws(APIError) in _ = try body.text("o") }),
            ("400 invalid_type b", { () throws(APIError) in _ = try body.boolean("b") }),
            ("400 invalid_type i", { () throws(APIError) in _ = try body.integer("i", 0...9) }),
            (
                "400 invalid_value big",
                { () throws(APIError) in _ = try body.integer("big", 0...8) }
            ),
            ("400 invalid_type l", { () throws(APIError) in _ = try body.texts("l") }),
            ("400 invalid_type m[1]", { () throws(APIError) in _ = try body.texts("m") }),
        ]
        for (expected, read) in cases { #expect(Self.error(read) == expected) }
        let long = try RequestBody(
            .json("{\"t\":\"\(String(repeating: "é", count: 201))\"}"), members: ["t"])
        #expect(
            Self.error { () throws(APIError) in _ = try long.text("t") } == "400 invalid_value t")
        #expect(try long.text("t", limit: 201)?.count == 201)
    }

    @Test("may not have a member that the route does not have, be it null")
    func unknown() {
        for body in [#"{"a":1,"b":2}"#, #"{"b":null}"#, #"{"\u0062":0}"#] {
            let error = Self.error { () throws(APIError) in
                _ = try RequestBody(.json(body), members: ["a"])
            }
            #expect(error == "400 unknown_parameter b", "\(body)")
        }
    }

    @Test("gives metadata that must be there, as it is spelled and in one spelling")
    func metadata() throws {
        func metadata(_ body: String) throws(APIError) -> Metadata {
            try RequestBody(.json(body), members: ["metadata"]).metadata()
        }
        let given = try metadata(#"{"metadata":{ "b":"\u00e9" , "a":"" }}"#)
        #expect(given.pairs.map(\.key) == ["b", "a"])
        #expect(
            String(decoding: given.value.encoded(), as: UTF8.self) == #"{ "b":"\u00e9" , "a":"" }"#)
        #expect(String(decoding: given.plain.encoded(), as: UTF8.self) == #"{"b":"é","a":""}"#)
        #expect(try metadata(#"{"metadata":null}"#).pairs.isEmpty)
        let nul = #"{"metadata":{"a":"\u0000"}}"#
        for (body, expected) in [
            ("{}", "400 missing_required_parameter metadata"),
            (#"{"metadata":[]}"#, "400 invalid_type metadata"),
            (#"{"metadata":{"a":1}}"#, "400 invalid_type metadata.a"),
            (#"{"metadata":{"a":null}}"#, "400 invalid_type metadata.a"),
            (nul, "400 invalid_value metadata"),
        ] {
            #expect(
                Self.error { () throws(APIError) in _ = try metadata(body) } == expected,
                "\(body)")
        }
    }
}

@Suite("Rows of the audit")
struct AuditEventTests {
    @Test("say what happened to whom, in words of ours")
    func rows() {
        let events: [(AuditEvent, String)] = [
            (.refused("chat"), #"permission.refused - {"action":"chat"}"#),
            (
                .tokenMinted(id: "token_1", user: "user_1"),
                #"token.minted token_1 {"user":"user_1"}"#
            ),
            (
                .tokenRevoked(id: "token_1", user: "user_1"),
                #"token.revoked token_1 {"user":"user_1"}"#
            ),
            (
                .userCreated(
                    User(
                        id: "user_1", source: .local, name: "Ann", role: "user",
                        createdAt: Timestamp(seconds: 0))),
                #"user.created user_1 {"role":"user","source":"local"}"#
            ),
            (
                .roleChanged(user: "user_1", role: "admin"),
                #"user.role_changed user_1 {"role":"admin"}"#
            ),
            (.userDisabled(id: "user_1"), "user.disabled user_1 {}"),
            (.userEnabled(id: "user_1"), "user.enabled user_1 {}"),
        ]
        for (event, expected) in events {
            let (action, target, details) = event.row
            let text = String(decoding: details.encoded(), as: UTF8.self)
            #expect("\(action) \(target ?? "-") \(text)" == expected)
        }
    }
}

@Suite("What the API shows")
struct PresentationTests {
    @Test("of a user is all but what is nobody's business")
    func user() {
        var user = User(
            id: "user_1", source: .webServer, name: "Ann", role: "user",
            createdAt: Timestamp(seconds: 5))
        #expect(
            String(decoding: user.value.encoded(), as: UTF8.self)
                == #"{"id":"user_1","object":"user","name":"Ann","source":"web_server","#
                + #""email":null,"role":"user","disabled":false,"created_at":5}"#)
        user.email = "a@b.example"
        user.disabledAt = .now
        let text = String(decoding: user.value.encoded(), as: UTF8.self)
        #expect(text.contains(#""email":"a@b.example""#) && text.contains(#""disabled":true"#))
    }

    @Test("of a token is neither the token nor its digest")
    func token() {
        var token = APIToken(
            id: "token_1", userID: "user_1", name: "n", digest: Array("digest".utf8),
            createdAt: Timestamp(seconds: 5))
        token.hint = "wxyz"
        token.scopes = ["*"]
        #expect(
            String(decoding: token.value.encoded(), as: UTF8.self)
                == #"{"id":"token_1","object":"api_token","name":"n","hint":"wxyz","#
                + #""scopes":["*"],"models":null,"created_at":5,"expires_at":null,"#
                + #""last_used_at":null,"revoked_at":null}"#)
    }
}
