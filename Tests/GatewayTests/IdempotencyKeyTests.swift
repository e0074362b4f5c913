import EventLoop
import HTTP
import OpenAI
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("The name of a request")
@LoopActor
struct IdempotencyKeyTests {
    private let role = Configuration.Role(actions: [], models: .only([]))

    private func identity(_ token: String?) -> Identity {
        let user = User(
            id: "user_1", source: .local, name: "a", role: "user", createdAt: .now)
        return Identity(user: user, roleName: "user", role: role, tokenID: token)
    }

    private func request(_ key: String...) -> HTTP.Request {
        var request = HTTP.Request.json("{}")
        for key in key { request.fields.append("idempotency-key", key) }
        return request
    }

    @Test("belongs to the user and his token")
    func owner() throws {
        let key = try #require(try IdempotencyKey(request("a~!"), identity("token_1")))
        #expect(key.text == "a~!" && key.owner == "user_1" && key.tokenID == "token_1")
        #expect(try IdempotencyKey(request("a"), identity(nil))?.tokenID == "")
    }

    @Test("is only looked for where a repetition would do something")
    func methods() throws {
        #expect(try IdempotencyKey(request(), identity(nil)) == nil)
        for method in [HTTP.Method.get, .delete, .patch, .head] {
            var request = request("a b")
            request.method = method
            #expect(try IdempotencyKey(request, identity(nil)) == nil)
        }
    }

    @Test("is refused where it cannot be kept to")
    func refused() {
        let longest = String(repeating: "k", count: 255)
        #expect(throws: Never.self) { try IdempotencyKey(request(longest), identity(nil)) }
        for keys in [longest + "k", "a b", "é", "a\u{7f}", "a\tb", ""].map({ request($0) })
            + [request("a", "b")]
        {
            #expect { try IdempotencyKey(keys, identity(nil)) } throws: {
                ($0 as? APIError)?.param == "Idempotency-Key" && ($0 as? APIError)?.status == 400
            }
        }
        #expect(throws: APIError.self) {
            try IdempotencyKey(request("a"), Identity(roleName: "user", role: role))
        }
    }

    @Test("stands for the method, the path, the query and the body, and nothing else")
    func fingerprint() {
        let plain = IdempotencyKey.fingerprint(of: request("a"))
        #expect(plain.count == 32)
        #expect(plain == IdempotencyKey.fingerprint(of: request("b")))
        func changed(_ change: (inout HTTP.Request) -> Void) -> [UInt8] {
            var request = request("a")
            change(&request)
            return IdempotencyKey.fingerprint(of: request)
        }
        let all = [
            plain, changed { $0.body = [] }, changed { $0.path = "/x" },
            changed { $0.method = .put }, changed { $0.query = [("a", "b")] },
            changed { $0.query = [("ab", "")] }, changed { $0.query = [("a", ""), ("b", "")] },
            changed { $0.query = [("a1:b", "")] }, changed { $0.body = Array("{} ".utf8) },
        ]
        #expect(Set(all).count == all.count)
    }
}

@Suite("The copy of a reply")
@LoopActor
struct ReplyCopyTests {
    private let head = ResponseHead(status: .ok, fields: ["content-type": "x", "a": "b"])

    /// What a copy settles, after these steps.
    private func fates(_ steps: (ReplyCopy) async -> Void) async -> [ReplyCopy.Fate] {
        var fates: [ReplyCopy.Fate] = []
        let copy = ReplyCopy { fates.append($0) }
        await steps(copy)
        return fates
    }

    @Test("is what went out, and comes back as it was")
    func kept() async throws {
        let fates = await fates { copy in
            copy.append([1, 2])
            copy.append([3])
            await copy.keep(head)
            await copy.drop()
        }
        guard fates.count == 1, case .answered(let reply) = fates[0] else {
            Issue.record("\(fates)")
            return
        }
        #expect(reply.status == 200 && reply.body == [1, 2, 3])
        let response = HTTP.Response(reply)
        #expect(response.head.status == .ok && response.body == [1, 2, 3])
        let fields = response.head.fields.map { "\($0.name): \($0.value)" }
        #expect(fields == ["idempotent-replayed: true", "content-type: x", "a: b"])
    }

    @Test("is not kept of a failure, of more than fits, or of what says that it is not to be")
    func notKept() async {
        let dropped = await fates { await $0.drop() }
        guard dropped.count == 1, case .nothing = dropped[0] else {
            Issue.record("\(dropped)")
            return
        }
        let large = await fates { copy in
            copy.append([UInt8](repeating: 0, count: ReplyCopy.limit))
            copy.append([0])
            copy.append([0])
            await copy.keep(head)
        }
        let secret = await fates {
            await $0.keep(ResponseHead(status: 201, fields: ["Cache-Control": "no-store"]))
        }
        for (fates, expected) in [(large, 200), (secret, 201)] {
            guard fates.count == 1, case .forgotten(expected) = fates[0] else {
                Issue.record("\(fates)")
                return
            }
        }
        let whole = await fates { copy in
            copy.append([UInt8](repeating: 0, count: ReplyCopy.limit))
            await copy.keep(head)
        }
        guard case .answered = whole.first else {
            Issue.record("what just fits is not kept")
            return
        }
    }
}
