import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A provider that sends garbage") @LoopActor struct GarbageProviders {
        @Test(
            "B19: gives a clean error or its answer, and the next request is served as ever",
            arguments: garbage.map(\.name))
        func endures(name: String) async throws {
            let (site, user) = try await Hostile.deployment()
            let entry = try #require(ScriptedProvider.garbage.first { $0.name == name })
            let workers = Set(site.workers)
            let began = Loop.now
            let forms = [(true, entry.stream), (false, entry.reply)]
            let replies = try await concurrently(forms.count) { form in
                try await site.answer(
                    Chat("brief-bytes", name).with { $0.isStream = forms[form].0 }, user)
            }
            let took = Loop.now - began
            if took > 2000 { figure("\(name): \(took) ms") }
            #expect(took < 10_000, "\(took) ms")
            for ((isStream, expected), reply) in zip(forms, replies) {
                Self.check(reply, isStream: isStream, expected)
            }
            let healthy = Loop.now
            let next = try await site.answer(Chat("echo").streamed, user)
            #expect(next.isDone && Loop.now - healthy < 2000)
            #expect(Set(site.workers) == workers)
        }

        private static func check(_ reply: WebReply, isStream: Bool, _ expected: String) {
            if expected == "fine" {
                #expect(reply.status == 200 && reply.content == "fine", "\(reply.text)")
                #expect(reply.isDone || !isStream)
            } else if reply.status == 200 {
                let last = reply.events.last?.json["error"]["code"].string
                #expect(last?.hasPrefix("provider_") == true, "\(reply.text.prefix(500))")
                #expect(!reply.text.contains("[DONE]") && !reply.text.contains("late"))
            } else {
                let code = reply.error["code"].string ?? ""
                #expect(code.hasPrefix("provider_"), "\(reply.status) \(reply.text)")
                #expect([502, 504].contains(reply.status))
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
