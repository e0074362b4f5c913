import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Providers that are slow") @LoopActor struct ProviderLoad {
        /// A provider that may be called 400 times at once by two workers, and another one.
        private static var plan: DeploymentPlan {
            var plan = DeploymentPlan()
            plan.providers = { port in
                "  narrow: { kind: openai, base_url: \"http://127.0.0.1:\(port)/v1\", "
                    + "max_concurrent: 400 }\n"
            }
            plan.models = """
                  - { id: narrow, candidates: [ { provider: narrow, model: slow-first-4000 } ] }
                  - { id: narrow-echo, candidates: [ { provider: narrow, model: echo } ] }
                  - id: wide
                    candidates: [ { provider: narrow, model: slow-first-4000 }, { provider: scripted, model: echo } ]
                """
            return plan
        }

        @Test(
            "B22: 500 slow calls of a provider hold up nothing else, and more than it may have are refused"
        )
        func slow() async throws {
            try await withDeployment(Self.plan) { site, user in
                let calls = try (0..<500).map { number in
                    try site.chat(
                        Chat("narrow").with { $0.isStream = number.isMultiple(of: 2) }, user)
                }
                let replies = calls.map { call in Task { @LoopActor in try await call.reply() } }
                #expect(await waitUntil { site.questions.count >= 400 })
                let times = try await Self.quick(site, user)
                let covered = try await site.answer(Chat("wide"), user)
                #expect(covered.status == 200)
                var counts: [Int: Int] = [:]
                for reply in replies {
                    let reply = try await reply.value
                    counts[reply.status, default: 0] += 1
                    guard reply.status != 200 else { continue }
                    Expected(503, "overloaded").check(reply)
                    #expect(reply.head["retry-after"] == "1")
                }
                figure("B22: of 500 slow calls \(counts); models and health meanwhile: \(times)")
                #expect(counts == [200: 400, 503: 100])
                // There are places again.
                #expect(try await site.answer(Chat("narrow-echo"), user).status == 200)
            }
        }

        @Test(
            "A provider gets as many calls as it may, to the last one, whichever workers they come to"
        )
        func limit() async throws {
            var plan = DeploymentPlan()
            plan.providers = {
                "  few: { kind: openai, base_url: \"http://127.0.0.1:\($0)/v1\", max_concurrent: 9 }\n"
            }
            plan.models =
                "  - { id: few, candidates: [ { provider: few, model: hang-after-1 } ] }"
            try await withDeployment(plan) { site, user in
                @LoopActor func opened(_ count: Int) async throws -> [WebCall] {
                    var calls: [WebCall] = []
                    for _ in 0..<count {
                        let call = try site.chat(Chat("few").streamed, user)
                        let status = try await call.head().status
                        #expect(status == 200 || status == 503)
                        if status == 200 { calls.append(call) }
                    }
                    return calls
                }
                let calls = try await opened(30)
                #expect(calls.count == 9)
                // The places of those who leave, and of workers that die, are free again.
                for call in calls.prefix(2) { call.leave() }
                @LoopActor func ended() -> Int { site.provider.recorded.count { $0.closedEarly } }
                #expect(await waitUntil { ended() == 2 })
                #expect(try await opened(10).count == 2)
                let workers = site.workers
                for worker in workers { kill(worker, SIGKILL) }
                let isRenewed = await waitUntil {
                    ended() == 11 && site.workers.count == 2
                        && Set(site.workers).isDisjoint(with: workers)
                }
                #expect(isRenewed)
                #expect(try await opened(20).count == 9)
            }
        }

        /// How long what needs no provider takes meanwhile.
        private static func quick(_ site: Deployment, _ user: User) async throws -> String {
            var times: [Double] = []
            for _ in 0..<20 {
                for path in ["/v1/models", "/health/live", "/health/ready"] {
                    let started = microseconds()
                    #expect(try await site.get(path, user).status == 200)
                    times.append(Double(microseconds() - started) / 1000)
                }
            }
            let (median, slow) = (percentile(50, of: times), percentile(95, of: times))
            #expect(median < 50 && slow < 250)
            return "p50 \(median) ms, p95 \(slow) ms"
        }
    }
}
