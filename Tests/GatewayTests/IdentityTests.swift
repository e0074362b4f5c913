import Crypto
import EventLoop
import HTTP
import JSON
import OpenAI
import PostgreSQL
import Store
import Testing

@testable import Gateway

@Suite("What an identity permits")
struct IdentityTests {
    private static let roles: [String: Configuration.Role] = Configuration.Role.builtIn.merging([
        "reader": Configuration.Role(actions: [.models], models: .only(["one"])),
        "empty": Configuration.Role(actions: [], models: .only([])),
    ]) { $1 }
    private static let scopes: [[String]?] = [
        nil, [], ["*"], ["assert_user"], ["*", "assert_user"], ["unknown"],
    ]

    private static func identity(
        _ role: String, _ scopes: [String]?, _ models: [String]? = nil
    ) -> Identity {
        Identity(
            roleName: role, role: roles[role] ?? Configuration.Role(actions: []), scopes: scopes,
            tokenModels: models)
    }

    @Test("permits an action where the role has it and the token's scopes have it")
    func actions() {
        for (name, role) in Self.roles {
            for scopes in Self.scopes + Action.allCases.map({ [$0.rawValue] }) {
                let identity = Self.identity(name, scopes)
                for action in Action.allCases {
                    let isScoped =
                        scopes == nil || scopes?.contains("*") == true
                        || scopes?.contains(action.rawValue) == true
                    #expect(
                        identity.permits(.action(action))
                            == (role.actions.contains(action) && isScoped),
                        "\(name) \(scopes ?? ["no token"]) \(action)")
                }
                #expect(identity.permits(.open))
                #expect(identity.permits(.identity) == !role.actions.isEmpty)
            }
        }
    }

    @Test("permits nothing but admins the administration, and pending users nothing at all")
    func builtIn() {
        for role in ["user", "pending", "reader", "empty"] {
            #expect(!Self.identity(role, nil).permits(.action(.admin)))
        }
        #expect(Self.identity("admin", nil).permits(.action(.admin)))
        #expect(!Self.identity("admin", ["chat"]).permits(.action(.admin)))
        for action in Action.allCases {
            #expect(!Self.identity("pending", nil).permits(.action(action)))
        }
    }

    @Test("permits a model where role and token both do")
    func models() {
        let cases: [(role: String, token: [String]?, permitted: Set<String>)] = [
            ("user", nil, ["one", "two"]), ("user", ["two"], ["two"]), ("user", [], []),
            ("reader", nil, ["one"]), ("reader", ["one", "two"], ["one"]), ("reader", ["two"], []),
            ("empty", nil, []), ("empty", ["one"], []),
        ]
        for (role, token, permitted) in cases {
            let identity = Self.identity(role, nil, token)
            for model in ["one", "two"] {
                #expect(identity.permits(model: model) == permitted.contains(model))
            }
        }
    }

    @Test("takes over all limits of the token that signs in")
    func limited() {
        var token = APIToken(
            id: "token_1", userID: "user_1", name: "n", digest: [], createdAt: .now)
        token.scopes = ["chat"]
        token.models = ["one"]
        let identity = Self.identity("admin", nil).limited(by: token)
        #expect(identity.tokenID == "token_1")
        #expect(identity.permits(.action(.chat)))
        #expect(!identity.permits(.action(.models)))
        #expect(identity.permits(model: "one") && !identity.permits(model: "two"))
    }
}

@Suite("A token that is asked for")
struct TokenRequestTests {
    private static func narrowed(
        _ asked: [String], by held: [String]?, models: [String]? = nil, allowed: [String]? = nil
    ) -> String {
        var request = TokenRequest(lifetime: 90)
        request.scopes = asked
        request.models = models
        let identity = Identity(
            roleName: "user", role: Configuration.Role(actions: [.chat]), scopes: held,
            tokenModels: allowed)
        do throws(APIError) {
            try request.narrow(to: identity)
        } catch {
            return error.code ?? ""
        }
        let models = request.models.map { " of " + $0.joined(separator: ",") } ?? ""
        return request.scopes.joined(separator: ",") + models
    }

    @Test("may do no more than the one that asks, and never speak for others")
    func scopes() {
        let cases: [(asked: [String], held: [String]?, result: String)] = [
            (["*"], nil, "*"), (["chat"], nil, "chat"), (["assert_user"], nil, "permission_denied"),
            (["*"], ["*"], "*"), (["chat", "admin"], ["*"], "chat,admin"),
            (["assert_user"], ["*"], "permission_denied"),
            (["assert_user"], ["*", "assert_user"], "permission_denied"),
            (["*", "assert_user"], ["*", "assert_user"], "permission_denied"),
            (["*"], ["*", "assert_user"], "*"),
            (["*"], ["tokens", "chat"], "tokens,chat"),
            (["*"], ["tokens", "assert_user"], "tokens"),
            (["*", "chat"], ["tokens", "chat"], "tokens,chat"),
            (["tokens"], ["tokens", "chat"], "tokens"),
            (["models"], ["tokens", "chat"], "permission_denied"),
            (["chat", "models"], ["tokens", "chat"], "permission_denied"), ([], ["tokens"], ""),
        ]
        for (asked, held, result) in cases {
            #expect(Self.narrowed(asked, by: held) == result, "\(asked) by \(held ?? ["-"])")
        }
    }

    @Test("may use no more models than the one that asks")
    func models() {
        func result(_ models: [String]?, _ allowed: [String]?) -> String {
            Self.narrowed(["*"], by: ["*"], models: models, allowed: allowed)
        }
        #expect(result(nil, nil) == "*")
        #expect(result(["a"], nil) == "* of a")
        #expect(result(nil, ["a", "b"]) == "* of a,b")
        #expect(result(["b"], ["a", "b"]) == "* of b")
        #expect(result(["c"], ["a", "b"]) == "model_not_allowed")
        #expect(result([], ["a"]) == "* of ")
    }

    private static func read(_ body: String) throws(APIError) -> TokenRequest {
        try TokenRequest(
            RequestBody(.json(body), members: TokenRequest.members, isOptional: true), lifetime: 90)
    }

    @Test("has defaults for everything")
    func defaults() throws {
        for body in ["", "{}", #"{"name":null,"scopes":null,"models":null}"#] {
            let request = try Self.read(body)
            #expect(request.name == "API token")
            #expect(request.scopes == ["*"])
            #expect(request.models == nil)
            #expect(request.days == 90)
        }
    }

    @Test("lasts as long as was asked, for ever only if that was asked")
    func lifetime() throws {
        #expect(try Self.read(#"{"expires_in_days":1}"#).days == 1)
        #expect(try Self.read(#"{"expires_in_days":36500}"#).days == 36_500)
        #expect(try Self.read(#"{"expires_in_days":null}"#).days == nil)
    }

    @Test(
        "is refused with the path of what is wrong",
        arguments: [
            (#"{"name":1}"#, "name"), (#"{"name":""}"#, "name"), (#"{"scopes":"*"}"#, "scopes"),
            (#"{"scopes":["chat","x"]}"#, "scopes[1]"), (#"{"scopes":[1]}"#, "scopes[0]"),
            (#"{"models":[""]}"#, "models[0]"), (#"{"expires_in_days":0}"#, "expires_in_days"),
            (#"{"expires_in_days":36501}"#, "expires_in_days"),
            (#"{"expires_in_days":1.5}"#, "expires_in_days"),
            (#"{"expires_in_days":"1"}"#, "expires_in_days"), ("[]", ""),
        ])
    func refusals(_ body: String, _ path: String) {
        do throws(APIError) {
            _ = try Self.read(body)
            Issue.record("\(body) was accepted")
        } catch {
            #expect(error.status == 400)
            #expect(error.param ?? "" == path)
        }
    }

    @Test("becomes a row that holds its digest, and not itself")
    @LoopActor
    func minting() throws {
        var request = TokenRequest(lifetime: 2)
        request.scopes = ["chat"]
        let pepper = HMAC.Key(Array("a pepper of more than 32 characters".utf8))
        let (secret, token) = try request.mint(for: "user_1", pepper: pepper, pepperVersion: 3)
        #expect(TokenFormat.accepts(secret))
        #expect(token.digest == TokenFormat.digest(secret, pepper: pepper))
        #expect(token.hint == secret.suffix(4))
        #expect(token.userID == "user_1" && token.pepperVersion == 3 && token.scopes == ["chat"])
        #expect(token.expiresAt.map { $0.seconds - token.createdAt.seconds } == 2 * 86_400)
        let shown = String(decoding: token.value.encoded(), as: UTF8.self)
        #expect(!shown.contains(secret.dropFirst(6).prefix(20)))
        let once = String(decoding: token.minted(secret).body, as: UTF8.self)
        #expect(once.hasPrefix("{\"token\":\"\(secret)\","))
    }
}
