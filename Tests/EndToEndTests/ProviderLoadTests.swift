import EventLoop
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
                // Each worker has taken its share, or all that came to it.
                #expect(await waitUntil { site.questions.count >= 300 })
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
                #expect(counts[200, default: 0] + counts[503, default: 0] == 500)
                #expect(counts[200, default: 0] <= 401 && counts[503, default: 0] >= 99)
                // There are places again.
                #expect(try await site.answer(Chat("narrow-echo"), user).status == 200)
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
