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
                    + "max_concurrent: 400, deadlines: { first_byte: 300 } }\n"
            }
            plan.models = """
                  - { id: narrow, candidates: [ { provider: narrow, model: hang } ] }
                  - { id: narrow-echo, candidates: [ { provider: narrow, model: echo } ] }
                  - id: wide
                    candidates: [ { provider: narrow, model: hang }, { provider: scripted, model: echo } ]
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
                // Of those that get a place none ends before its caller leaves.
                var refused: [WebReply] = []
                for call in calls {
                    Task { @LoopActor in
                        if let reply = try? await call.reply() { refused.append(reply) }
                    }
                }
                let areDecided = await waitUntil(seconds: 60) {
                    refused.count == 100 && site.questions.count == 400
                }
                #expect(areDecided, "\(refused.count) refused, \(site.questions.count) asked for")
                let times = try await Self.quick(site, user)
                let covered = try await site.answer(Chat("wide"), user)
                #expect(covered.status == 200)
                for reply in refused {
                    Expected(503, "overloaded").check(reply)
                    #expect(reply.head["retry-after"] == "1")
                }
                figure("B22: of 500 slow calls \(refused.count) were refused; meanwhile: \(times)")
                for call in calls { call.leave() }
                let areLeft = await waitUntil(seconds: 60) {
                    site.questions.count { $0.closedEarly } == 400
                }
                #expect(areLeft && refused.count == 100)
                // There are places again.
                let isServed = try await waitUntil {
                    try await site.answer(Chat("narrow-echo"), user).status == 200
                }
                #expect(isServed)
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
                let isRenewed = await waitUntil(seconds: 30) {
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
            #expect(median < 1000)
            return "models and health p50 \(median) ms, p95 \(slow) ms"
        }
    }
}
