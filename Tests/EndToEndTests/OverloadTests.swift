import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("More than it can carry") @LoopActor struct Overloads {
        @Test(
            "D4: Of five times too many callers the rest is refused at once, and what is served stays as much"
        )
        func overload() async throws {
            var plan = DeploymentPlan()
            plan.settings = "streams_per_worker: 8"
            try await withDeployment(plan) { site, user in
                // A stall of the machine falls on one of the two: the best of three pairs is judged.
                var goodput = 0.0
                for _ in 0..<3 where goodput < 0.8 {
                    let pair = try await Self.pair(site, user)
                    goodput = max(goodput, pair)
                }
                #expect(goodput >= 0.8)
                let answers = try await concurrently(4) { _ in
                    try await site.answer(Chat("slow-first-300"), user).status
                }
                #expect(answers == [200, 200, 200, 200])
            }
        }

        /// What is served of too many callers, as a part of what is served of few. Each answer takes 300 ms, so two
        /// workers give at most 53 a second.
        private static func pair(_ site: Deployment, _ user: User) async throws -> Double {
            let peak = try await run(callers: 12, site, user)
            let overload = try await run(callers: 80, site, user) {
                for path in ["/health/live", "/v1/models"] {
                    let askedAt = Loop.now
                    let reply = try await site.get(path, user)
                    #expect(reply.status == 200)
                    $0.times.append(Double(Loop.now - askedAt))
                }
            }
            figure(
                "peak \(peak.served) answers in 3 s; with 80 callers \(overload.served), "
                    + "\(overload.refused) refused, /v1/models within \(overload.times.max() ?? .nan) ms"
            )
            #expect(overload.refused > overload.served / 2)
            #expect(percentile(50, of: overload.times) < 1000)
            return Double(overload.served) / Double(max(1, peak.served))
        }

        /// What a number of callers got.
        @LoopActor final class Tally {
            var served = 0
            var refused = 0
            /// Milliseconds that what needs no place took meanwhile.
            var times: [Double] = []
        }

        /// So many ask for three seconds, each again as soon as it was answered or refused. `also` goes on meanwhile.
        private static func run(
            callers: Int, _ site: Deployment, _ user: User,
            also: @escaping @LoopActor (Tally) async throws -> Void = { _ in }
        ) async throws -> Tally {
            let (tally, end) = (Tally(), Loop.now + 3000)
            let tasks = (0..<callers).map { _ in
                Task { @LoopActor in
                    while Loop.now < end { try await Self.ask(site, user, tally) }
                }
            }
            while Loop.now < end {
                try await also(tally)
                try await Loop.sleep(milliseconds: 50)
            }
            for task in tasks { try await task.value }
            return tally
        }

        private static func ask(_ site: Deployment, _ user: User, _ tally: Tally) async throws {
            let reply = try await site.answer(Chat("slow-first-300"), user)
            if reply.status == 200 {
                tally.served += 1
                return
            }
            Expected(503, "overloaded").check(reply)
            #expect(reply.head["retry-after"] != nil)
            tally.refused += 1
            // Sooner than any client would.
            try await Loop.sleep(milliseconds: 100)
        }
    }
}
