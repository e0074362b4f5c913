import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Requests that kill") @LoopActor struct Poison {
        @Test(
            "A4: The log names the request on which a worker died; the same one again and again stops nobody else"
        )
        func named() async throws {
            try await withDeployment { site, user in
                // Others, begun before and silent, on both workers.
                let idle = try (0..<10).map { _ in try site.chat(Chat("hang").streamed, user) }
                #expect(await waitUntil { site.provider.count(of: "hang") == 10 })
                var pauses: [Double] = []
                for round in 1...6 {
                    let call = try site.chat(
                        Chat("hang-after-3").streamed.inChat("poison-\(round)"), user)
                    let id = try await call.head()["x-request-id"] ?? "none"
                    _ = try await call.next()
                    let worker = try await site.worker(writing: "poison-\(round)")
                    Glibc.kill(worker, [SIGSEGV, SIGILL, SIGKILL][round % 3])
                    let diedAt = Loop.now
                    await #expect(throws: WebFailure.broken) {
                        while try await call.next() != nil {}
                    }
                    // The other worker serves.
                    for answer in try await concurrently(
                        10, { _ in try await site.answer(Chat("echo"), user) })
                    {
                        #expect(answer.status == 200)
                    }
                    let isWhole = await waitUntil {
                        site.log.lines("worker_ready").count == 2 + round
                    }
                    #expect(isWhole)
                    pauses.append(Double(Loop.now - diedAt))
                    let line = try #require(site.log.lines("worker_died").last)
                    #expect(line["requests"][0].string == id)
                    #expect((1...8).contains(line["requests"].array.count))
                    #expect(line["running"].integer ?? 0 > 0)
                }
                figure("six poisoned requests: the pool was whole again after \(pauses) ms")
                #expect(percentile(50, of: pauses) < 3000)
                for call in idle { call.leave() }
            }
        }

        @Test(
            "A4: A request that takes more memory than there is is named, and nothing else suffers")
        func memory() async throws {
            var plan = DeploymentPlan()
            plan.bodyLimit = "64 MiB"
            try await withDeployment(plan) { site, user in
                for worker in site.workers {
                    let size = ProcessFigures.memory(.virtual, of: worker)
                    try #require(size > 0)
                    try await Program.output([
                        "prlimit", "--pid", "\(worker)", "--as=\(size + (24 << 20))",
                    ])
                }
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                let text = "canary-prompt " + String(repeating: "x", count: 30 << 20)
                let reply = try await site.answer(Chat("echo", text), user)
                Expected(502, "provider_unreachable").check(reply)
                let hasDied = await waitUntil { !site.log.lines("worker_died").isEmpty }
                #expect(hasDied)
                let line = try #require(site.log.lines("worker_died").first)
                #expect(line["requests"].array.map(\.string) == [reply.requestID])
                let isWhole = await waitUntil { site.log.lines("worker_ready").count == 3 }
                #expect(isWhole)
                for _ in 0..<10 {
                    #expect(try await site.answer(Chat("echo"), user).status == 200)
                }
            }
        }

        @Test("A4: Nothing nested deeply enough exhausts a small stack")
        func stack() async throws {
            var plan = DeploymentPlan()
            plan.limits = "ulimit -s 2048"
            plan.bodyLimit = "16 MiB"
            try await withDeployment(plan) { site, user in
                for body in Self.deep {
                    let reply = try await site.send(
                        "POST", "/v1/chat/completions", user.token, body)
                    #expect(
                        (400..<500).contains(reply.status), "\(reply.status) \(body.prefix(60))")
                    #expect(reply.error["code"].exists)
                }
                for chat in Self.long {
                    let reply = try await site.answer(chat, user)
                    #expect([200, 400].contains(reply.status), "\(reply.status) \(chat.model)")
                }
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        /// Bodies with more levels than a parser that calls itself survives.
        private static var deep: [String] {
            let count = 500_000
            func nested(_ open: String, _ close: String, _ count: Int) -> String {
                String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
            }
            return [
                nested("[", "]", count), String(repeating: "[", count: count),
                nested(#"{"a":"#, "}", count), String(repeating: #"{"a":"#, count: count),
                #"{"model":"echo","messages":"# + nested("[", "]", count) + "}",
                #"{"model":"echo","messages":[{"role":"user","content":"x"}],"metadata":"#
                    + nested(#"{"a":"#, "}", count) + "}",
            ]
        }

        /// Requests with long chains, and a schema that follows itself.
        private static var long: [Chat] {
            let talk = (0..<2000).map { number in
                number.isMultiple(of: 2) ? Chat.user("x") : Chat.assistant("y")
            }
            let loop: [String: Any] = ["allOf": [["$ref": "#"], ["$ref": "#"]]]
            let chain: [String: Any] = [
                "$ref": "#/$defs/a",
                "$defs": ["a": ["anyOf": [["$ref": "#/$defs/b"]]], "b": ["$ref": "#/$defs/a"]],
            ]
            let schemas = [loop, chain].map { schema in
                Chat("checked", #"{"a":[[[[[[[[1]]]]]]]]}"#).with {
                    $0.members["response_format"] = [
                        "type": "json_schema", "json_schema": ["name": "x", "schema": schema],
                    ]
                }
            }
            return schemas + [
                Chat("echo").inChat("long").with { $0.messages = talk + [Chat.user("x")] }
            ]
        }
    }
}
