import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Endings of the gateway") @LoopActor struct Drains {
        @Test("A6: SIGTERM lets running streams finish, and then everything ends")
        func drain() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                // They last until it was seen that the others are not broken off.
                let held = try await site.hold(20, user)
                let streams = await site.begin(10, user) { _ in Chat("paced-20-100").streamed }
                site.signal(SIGTERM)
                let isRefused = try await waitUntil {
                    try await site.send("GET", "/v1/models", user.token).status == 502
                }
                #expect(isRefused && workers.contains(where: ProcessFigures.isAlive))
                for call in held { call.leave() }
                #expect(try await results(of: streams).allSatisfy(\.isDone))
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
                #expect(!workers.contains(where: ProcessFigures.isAlive))
                let refused = try await site.send("GET", "/v1/models", user.token)
                #expect(refused.status == 502)
                #expect(refused.error["code"].string == "provider_unreachable")
                try await site.startGateway()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test(
            "A6: What outlasts the drain timeout ends with an error that says so, and is kept as incomplete"
        )
        func drainTimeout() async throws {
            var plan = DeploymentPlan()
            plan.drainTimeout = 1
            try await withDeployment(plan) { site, user in
                let streams = await site.begin(20, user) { number in
                    Chat("hang-after-3").streamed.inChat("drained-\(number)")
                }
                let bridged = try site.chat(Chat("hang").streamed, user)
                let unary = Task { @LoopActor in
                    try await site.answer(Chat("hang").inChat("drained-unary"), user)
                }
                #expect(await waitUntil { site.provider.count(of: "hang") == 22 })
                // The stream that waits for its first event is open.
                #expect(try await bridged.head().status == 200)
                site.signal(SIGTERM)
                for reply in try await results(of: streams) + [bridged.reply()] {
                    #expect(reply.status == 200 && !reply.isDone)
                    #expect(reply.events.last?.json["error"]["code"].string == "draining")
                    #expect(reply.events.last?.json["choices"].exists == false)
                }
                let refused = try await unary.value
                Expected(503, "draining").check(refused)
                #expect(refused.head["retry-after"] != nil)
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
                let turns = try await site.sql(
                    "SELECT status, count(*) FROM turns WHERE role = 'assistant' GROUP BY status")
                #expect(turns == "incomplete|21")
                let usage = try await site.sql(
                    "SELECT ended, status, count(*) FROM usage GROUP BY 1, 2 ORDER BY 2")
                #expect(usage == "incomplete|200|21\nincomplete|503|1")
            }
        }

        @Test("A3: A socket that systemd holds is taken over, and kept when the gateway ends")
        func inheritedSocket() async throws {
            var plan = DeploymentPlan()
            plan.inheritsSocket = true
            try await withDeployment(plan) { site, user in
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                site.signal(SIGTERM)
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
                let waiting = Task { @LoopActor in try await site.answer(Chat("echo"), user) }
                try await site.startGateway()
                #expect(try await waiting.value.status == 200)
            }
        }

        @Test(
            "A6: When systemd restarts the gateway, old workers finish their streams while new ones serve"
        )
        func restart() async throws {
            var plan = DeploymentPlan()
            plan.inheritsSocket = true
            try await withDeployment(plan) { site, user in
                let old = site.workers
                // So many that each worker has some, until it was seen that it goes on.
                let held = try await site.hold(20, user)
                let streams = await site.begin(50, user) { _ in Chat("paced-60-50").streamed }
                let stop = EndToEnd.Pools.Flag()
                var slowest: Int64 = 0
                let callers = (0..<4).map { _ in
                    Task { @LoopActor in
                        while !stop.isSet {
                            let askedAt = Loop.now
                            let reply = try await site.answer(Chat("echo"), user)
                            #expect(reply.status == 200)
                            slowest = max(slowest, Loop.now - askedAt)
                            stop.count += 1
                        }
                    }
                }
                for round in 0..<2 {
                    site.signal(SIGTERM)
                    #expect(try await site.gatewayEnd(seconds: 10) == 0)
                    try await site.startGateway()
                    if round == 0 { #expect(old.allSatisfy(ProcessFigures.isAlive)) }
                    for call in held { call.leave() }
                    let before = stop.count
                    #expect(await waitUntil(seconds: 30) { stop.count > before + 20 })
                }
                stop.isSet = true
                for caller in callers { try await caller.value }
                #expect(try await results(of: streams).allSatisfy(\.isDone))
                figure(
                    "two restarts: 50 of 50 streams whole, \(stop.count) answers, the slowest after \(slowest) ms"
                )
                let areGone = await waitUntil { !old.contains(where: ProcessFigures.isAlive) }
                #expect(areGone)
            }
        }
    }
}
