import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Circuit breakers") @LoopActor struct Circuits {
        /// Providers that after five failures are not asked for five seconds, a fifth of one, and half a minute.
        private static var plan: DeploymentPlan {
            var plan = DeploymentPlan()
            plan.providers = { port in
                [("fused", 5, 10), ("brief", 0.2, 1), ("long", 30, 3)].map {
                    name, pause, patience in
                    "  \(name): { kind: openai, base_url: \"http://127.0.0.1:\(port)/v1\", "
                        + "circuit_breaker: { failures: 5, pause: \(pause) }, "
                        + "deadlines: { first_byte: \(patience) } }\n"
                }.joined()
            }
            plan.models =
                [
                    ("fused", "relapse-5-3000"), ("fused", "echo"), ("brief", "relapse-hang-5"),
                    ("fused", "tools"),
                    ("long", "status-500"),
                ].map { provider, model in
                    "  - { id: \(provider)-\(model), "
                        + "candidates: [ { provider: \(provider), model: \(model) } ] }\n"
                }.joined()
                + "  - { id: covered, candidates: [ { provider: fused, model: echo }, "
                + "{ provider: scripted, model: echo } ] }\n"
            return plan
        }

        /// Asks until the circuit is open: three attempts for the first request, two for the second.
        private static func open(_ model: String, _ site: Deployment, _ user: User) async throws {
            for _ in 0..<2 {
                let reply = try await site.answer(Chat(model), user)
                Expected(502, "provider_bad_response").check(reply)
            }
            #expect(site.questions.count == 5)
            #expect(await waitUntil { site.log.lines("circuit_opened").count == 1 })
        }

        /// Asks many times at once; how many were answered. All others were refused at once.
        private static func ask(
            _ model: String, _ site: Deployment, _ user: User
        ) async throws -> (answered: Int, requests: [String]) {
            let replies = try await concurrently(20) { number in
                let isStream = number.isMultiple(of: 2)
                return try await site.answer(Chat(model).with { $0.isStream = isStream }, user)
            }
            for reply in replies where reply.status != 200 {
                Expected(502, "provider_unreachable").check(reply)
                #expect(reply.head["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
            }
            return (replies.count { $0.status == 200 }, replies.map(\.requestID))
        }

        @Test(
            "B15: A provider that keeps failing is left alone, then probed by one call of all workers"
        )
        func flapping() async throws {
            try await withDeployment(Self.plan) { site, user in
                let model = "fused-relapse-5-3000"
                try await Self.open(model, site, user)
                // Open for all models of the provider, and for all workers.
                var workers: Set<String> = []
                let isOpen = try await waitUntil(seconds: 4) {
                    let started = Loop.now
                    let (answered, requests) = try await Self.ask("fused-echo", site, user)
                    figure(
                        "B15: an open circuit refused 20 requests within \(Loop.now - started) ms")
                    #expect(answered == 0 && site.questions.count == 5)
                    workers.formUnion(await site.log.processes(of: requests).values)
                    return workers.count == 2
                }
                #expect(isOpen)
                let covered = try await site.answer(Chat("covered"), user)
                #expect(covered.status == 200)
                #expect(covered.head["x-archway-model"] == "scripted/echo")
                // Of all that ask after the pause one is heard, for three seconds; the others are refused meanwhile.
                site.provider.forgetRecorded()
                var probed = 0
                let isProbed = try await waitUntil(seconds: 30) {
                    probed = try await Self.ask(model, site, user).answered
                    return probed > 0
                }
                #expect(isProbed && probed == 1)
                #expect(site.questions.count == 1)
                #expect(try await Self.ask("fused-echo", site, user).answered == 20)
                #expect(site.log.lines("circuit_opened").count == 1)
                #expect(site.log.lines("circuit_closed").count == 1)
            }
        }

        @Test("B15: A worker that dies with its probe does not keep the others from asking")
        func deadProbe() async throws {
            try await withDeployment(Self.plan) { site, user in
                let model = "brief-relapse-hang-5"
                try await Self.open(model, site, user)
                let calls = try await Self.hang(model, site, user, until: 6)
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                let killedAt = Loop.now
                // What the dead have left is known to the new ones: nobody asks until the probe's time is over.
                let more = try await Self.hang(model, site, user, until: 7)
                figure(
                    "B15: after its prober died a provider was probed in \(Loop.now - killedAt) ms")
                for call in calls + more { call.leave() }
            }
        }

        /// Asks a provider that does not answer until it was called so many times.
        private static func hang(
            _ model: String, _ site: Deployment, _ user: User, until count: Int
        ) async throws -> [WebCall] {
            var calls: [WebCall] = []
            let isCalled = try await waitUntil {
                calls.append(try site.chat(Chat(model), user))
                try await Loop.sleep(milliseconds: 50)
                return site.questions.count >= count
            }
            #expect(isCalled && site.questions.count == count)
            return calls
        }

        @Test("B15: A model that calls tools which nobody offered is no provider in trouble")
        func invention() async throws {
            try await withDeployment(Self.plan) { site, user in
                for _ in 0..<3 {
                    Expected(502, "provider_bad_response").check(
                        try await site.answer(Chat("fused-tools"), user))
                }
                #expect(site.questions.count == 9)
                #expect(try await site.answer(Chat("fused-echo"), user).status == 200)
                #expect(site.log.lines("circuit_opened").isEmpty)
            }
        }

        @Test("B15: What is known of a provider outlives workers and reloads")
        func memory() async throws {
            try await withDeployment(Self.plan) { site, user in
                try await Self.open("long-status-500", site, user)
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                #expect(try await Self.ask("long-status-500", site, user).answered == 0)
                let old = site.workers
                site.signal(SIGHUP)
                #expect(await waitUntil { Set(site.workers).isDisjoint(with: old) })
                #expect(try await Self.ask("long-status-500", site, user).answered == 0)
                #expect(site.questions.count == 5)
            }
        }
    }
}
