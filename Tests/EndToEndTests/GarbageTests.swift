import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A provider that sends garbage") @LoopActor struct GarbageProviders {
        /// Kinds that are sent at once: what each takes is mostly pauses between attempts.
        private nonisolated static let atOnce = 8

        @Test(
            "B19: gives a clean error or its answer, and the next request is served as ever",
            arguments: Array(stride(from: 0, to: garbage.count, by: atOnce)))
        func endures(first: Int) async throws {
            let (site, user) = try await Hostile.deployment()
            let kinds = Array(garbage.dropFirst(first).prefix(Self.atOnce))
            let workers = Set(site.workers)
            _ = try await concurrently(kinds.count) { number in
                let (name, stream, reply, _) = kinds[number]
                let forms = [(true, stream), (false, reply)]
                let began = Loop.now
                let replies = try await concurrently(forms.count) { form in
                    try await site.answer(
                        Chat("brief-bytes", name).with { $0.isStream = forms[form].0 }, user)
                }
                #expect(Loop.now - began < 50_000, "\(name)")
                for ((isStream, expected), reply) in zip(forms, replies) {
                    Self.check(reply, isStream: isStream, expected, of: name)
                }
                let healthy = Loop.now
                let next = try await site.answer(Chat("echo").streamed, user)
                #expect(next.isDone && Loop.now - healthy < 10_000, "\(name)")
            }
            #expect(Set(site.workers) == workers)
        }

        private static func check(
            _ reply: WebReply, isStream: Bool, _ expected: String, of name: String
        ) {
            let comment: Comment = "\(name): \(reply.status) \(reply.text.prefix(500))"
            if expected == "fine" {
                #expect(reply.status == 200 && reply.content == "fine", comment)
                #expect(reply.isDone || !isStream, comment)
            } else if reply.status == 200 {
                let last = reply.events.last?.json["error"]["code"].string
                #expect(last?.hasPrefix("provider_") == true, comment)
                #expect(!reply.text.contains("[DONE]") && !reply.text.contains("late"), comment)
            } else {
                let code = reply.error["code"].string ?? ""
                #expect(code.hasPrefix("provider_"), comment)
                #expect([502, 504].contains(reply.status), comment)
            }
        }

        @Test(
            "B19: is not kept: a stream holds a mebibyte of it at most",
            arguments: [
                ("a long line that stops", 1_000_000), ("a long event that stops", 990_000),
                ("a long event that was", 0),
            ])
        func memory(name: String, held: Int) async throws {
            let streams = 40
            // One of its own: what other requests have left would count.
            try await withDeployment(Hostile.plan) { site, user in
                let before = site.memory(.anonymous)
                let calls = try (0..<streams).map { _ in
                    try site.chat(Chat("bytes", name).streamed, user)
                }
                defer { calls.forEach { $0.leave() } }
                // All has come when the memory has grown, and grows no more.
                var (last, most, steady) = (0, 0, 0)
                let hasCome = await waitUntil(seconds: 20) {
                    let grown = site.memory(.anonymous) - before
                    steady = grown == last ? steady + 1 : 0
                    (last, most) = (grown, max(most, grown))
                    return site.questions.count == streams && grown >= streams * held
                        && steady >= 30
                }
                #expect(hasCome)
                figure(
                    "\(name): \(last / streams / 1024) KiB a stream, "
                        + "\(most / streams / 1024) at most")
                // A mebibyte, and what a stream costs at all.
                #expect(last / streams <= (1 << 20) + (256 << 10))
            }
        }
    }
}
