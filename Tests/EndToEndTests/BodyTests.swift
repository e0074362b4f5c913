import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Bodies of any length") @LoopActor struct Bodies {
        private static let limit = 16 << 20
        private static let path = "/v1/chat/completions"

        /// A chat of so many bytes in all.
        private static func body(_ length: Int, _ model: String = "usage") -> [UInt8] {
            let start =
                #"{"model":"\#(model)","messages":[{"role":"user","content":"canary-prompt "#
            let padding = length - start.utf8.count - 4
            return Array(start.utf8) + [UInt8](repeating: 0x78, count: padding)
                + Array("\"}]}".utf8)
        }

        /// A request with the fields that say how long its body is.
        private static func request(
            _ body: [UInt8], _ user: User, _ lengths: (name: String, value: String)...
        ) -> WebRequest {
            var request = WebRequest("POST", path)
            request.fields =
                [("Content-Type", "application/json"), ("Authorization", "Bearer \(user.token)")]
                + lengths
            request.body = body
            return request
        }

        /// The reply to a request at the worker's socket, without a web server.
        private static func direct(
            _ site: Deployment, _ user: User, _ body: [UInt8], length: String? = nil,
            pieces: Int = .max
        ) async throws -> FastCGIClient.Reply {
            let client = try FastCGIClient(site.socket)
            defer { client.close() }
            let fields = [("HTTP_AUTHORIZATION", "Bearer \(user.token)")]
            let length = length.map { [("CONTENT_LENGTH", $0)] } ?? []
            await client.send(
                FastCGIRecords.request("POST", path, fields + length, body: body), pieces: pieces)
            return await client.reply()
        }

        private static func code(_ reply: FastCGIClient.Reply) -> String {
            "\(reply.status ?? 0) \(Tree(reply.body)["error"]["code"].string ?? "none")"
        }

        @Test(
            "D6: A large body takes at most three times its size; a byte more is a 413",
            arguments: [nil, "large"])
        func largest(conversation: String?) async throws {
            var plan = DeploymentPlan()
            (plan.bodyLimit, plan.workers) = ("16 MiB", 1)
            try await withDeployment(plan) { site, user in
                #expect(try await site.answer(Chat("usage"), user).status == 200)
                let worker = try #require(site.workers.first)
                let before = ProcessFigures.memory(.resident, of: worker)
                var request = Self.request(Self.body(Self.limit), user)
                if let conversation { request.fields.append(("X-OpenWebUI-Chat-Id", conversation)) }
                request.fields.append(("Idempotency-Key", "largest"))
                let reply = try await site.call(request).reply()
                #expect(reply.status == 200, "\(reply.text.prefix(300))")
                #expect(reply.head["x-archway-warning"] == nil)
                #expect(site.questions.last?.body.count ?? 0 > Self.limit)
                let peak = ProcessFigures.memory(.peak, of: worker) - before
                let after = ProcessFigures.memory(.resident, of: worker) - before
                let times = Double(peak) / Double(Self.limit)
                let name = conversation.map { "in a conversation, \($0)" } ?? "in none"
                figure(
                    "\(Self.limit >> 20) MiB \(name): \(peak >> 20) MiB more at the most, "
                        + "\(after >> 20) MiB left")
                // The body, what the provider gets of it and, for a conversation, what PostgreSQL gets.
                #expect(times < (conversation == nil ? 2.5 : 3.25))
                let larger = Self.body(Self.limit + 1)
                Expected(413, "request_too_large")
                    .check(try await site.call(Self.request(larger, user)).reply())
                #expect(
                    Self.code(try await Self.direct(site, user, larger)) == "413 request_too_large")
                #expect(ProcessFigures.memory(.peak, of: worker) - before == peak)
            }
        }

        @Test(
            "D6: A body of the limit is taken, one of a byte more or none is refused, also without nginx"
        )
        func limits() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for (body, status, code) in [
                (Self.body(1 << 20), 200, nil), (Self.body(1 + 1 << 20), 413, "request_too_large"),
                ([], 400, "invalid_json"),
            ] {
                let reply = try await site.call(Self.request(body, user)).reply()
                #expect(reply.status == status && reply.error["code"].string == code)
                let direct = try await Self.direct(site, user, body)
                #expect(Self.code(direct) == "\(status) \(code ?? "none")")
                #expect(direct.ending == .complete)
            }
        }

        @Test("D6: A length that is not that of the body is refused, and what came is not used")
        func lies() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let body = Self.body(200, "echo")
            for length in ["199", "201", "0", "", "-1", "x", "9223372036854775808"] {
                let reply = try await Self.direct(site, user, body, length: length)
                #expect(Self.code(reply) == "400 invalid_json", "\(length)")
            }
            let short = Self.request(body, user, ("Content-Length", "199"))
            Expected(400, "invalid_json").check(try await site.call(short).reply())
            for length in ["-1", "x", "1,2"] {
                let request = Self.request(body, user, ("Content-Length", length))
                Expected(400, "invalid_request").check(try await site.call(request).reply())
            }
            let both = Self.request(
                body, user, ("Content-Length", "200"), ("Transfer-Encoding", "chunked"))
            Expected(400, "invalid_request").check(try await site.call(both).reply())
            // nginx waits for the rest, which never comes, and tells nobody.
            let before = site.questions.count
            let long = try site.call(Self.request(body, user, ("Content-Length", "201")))
            #expect(try await site.answer(Chat("echo"), user).status == 200)
            long.leave()
            #expect(try await site.answer(Chat("echo"), user).status == 200)
            #expect(site.questions.count == before + 2)
        }

        @Test("D6: A body in chunks needs no length")
        func chunked() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let body = Self.body(300, "usage")
            let chunks = [body[..<7], body[7..<299], body[299...]].flatMap { piece in
                Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            }
            let field = ("Transfer-Encoding", "chunked")
            for (end, status) in [("0\r\n\r\n", 200), ("zz\r\n\r\n", 400)] {
                let request = Self.request(chunks + Array(end.utf8), user, field)
                #expect(try await site.call(request).reply().status == status)
            }
        }

        @Test("D6: Bodies that come a byte at a time are served, and hold nobody up")
        func trickle() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let body = Self.body(300)
            let slow = (0..<30).map { number in
                Task { @LoopActor in
                    guard number.isMultiple(of: 2) else {
                        return try await Self.direct(site, user, body, pieces: 1).status
                    }
                    var request = Self.request(body, user)
                    request.pause = 3
                    return try await site.call(request).reply().status
                }
            }
            var delays: [Double] = []
            var areRunning = true
            let watching = Task { @LoopActor in
                defer { areRunning = false }
                var statuses: [Int?] = []
                for task in slow { statuses.append(try await task.value) }
                return statuses
            }
            while areRunning {
                let start = microseconds()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                delays.append(Double(microseconds() - start) / 1000)
            }
            #expect(try await watching.value.allSatisfy { $0 == 200 })
            let worst = delays.max() ?? .nan
            figure("beside 30 trickled bodies: \(delays.count) answers, the slowest in \(worst) ms")
            #expect(delays.count > 5 && percentile(50, of: delays) < 2000)
        }
    }
}
