import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The pool") @LoopActor struct Pools {
        @Test(
            "Reloads under constant requests lose none and refuse none, and take the new configuration"
        )
        func reload() async throws {
            try await withDeployment { site, user in
                let stop = Flag()
                let callers = (0..<6).map { number in
                    Task { @LoopActor in
                        try await Self.ask(site, user, isStream: number < 3, until: stop)
                    }
                }
                let long = Task { @LoopActor in
                    try await site.answer(Chat("paced-60-50").streamed, user)
                }
                for round in 1...3 {
                    try site.reconfigure {
                        $0 + "  - { id: new-\(round), candidates: "
                            + "[ { provider: scripted, model: echo } ] }\n"
                    }
                    site.signal(SIGHUP)
                    let isDone = await waitUntil(seconds: 20) {
                        site.log.lines("worker_ready").count == 2 + 2 * round
                    }
                    #expect(isDone)
                    let isServed = try await waitUntil {
                        try await site.answer(Chat("new-\(round)"), user).status == 200
                    }
                    #expect(isServed)
                    // Not all in one moment: with requests before, while and after each of them.
                    let before = stop.count
                    #expect(await waitUntil { stop.count > before + 60 })
                }
                stop.isSet = true
                for caller in callers { try await caller.value }
                #expect(try await long.value.isDone)
                figure("\(stop.count) answers during three reloads, all whole")
                let isSettled = await waitUntil { site.workers.count == 2 }
                #expect(isSettled)
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        @Test("A broken configuration is refused with line and column, and the old one stays")
        func brokenConfiguration() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                try site.reconfigure { $0.replacing("drain_timeout:", with: "drain_timeout_x:") }
                site.signal(SIGHUP)
                let isRefused = await waitUntil { !site.log.lines("reload_refused").isEmpty }
                #expect(isRefused)
                let detail = site.log.lines("reload_refused").first?["detail"].string ?? ""
                #expect(detail.contains("drain_timeout_x") && detail.contains("archway.yaml:6:1"))
                #expect(site.workers == workers)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                await #expect(throws: Program.Failure.self) {
                    try await site.archway("check-config")
                }
                try site.reconfigure { $0.replacing("drain_timeout_x:", with: "drain_timeout:") }
                try await site.archway("check-config")
            }
        }

        @Test("SIGTERM lets running streams finish, and then everything ends")
        func drain() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                let streams = (0..<10).map { _ in
                    Task { @LoopActor in
                        try await site.answer(Chat("paced-20-100").streamed, user)
                    }
                }
                let areRunning = await waitUntil {
                    site.provider.recorded.filter { $0.model == "paced-20-100" }.count == 10
                }
                #expect(areRunning)
                site.signal(SIGTERM)
                for stream in streams { #expect(try await stream.value.isDone) }
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
                #expect(!workers.contains(where: Deployment.isAlive))
                let refused = try await site.send("GET", "/v1/models", user.token)
                #expect(refused.status == 502)
                #expect(refused.error["code"].string == "provider_unreachable")
                try await site.startGateway()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test("A stream that outlasts the drain timeout is broken, never ended")
        func drainTimeout() async throws {
            var plan = DeploymentPlan()
            plan.drainTimeout = 1
            try await withDeployment(plan) { site, user in
                let call = try site.chat(Chat("hang-after-3").streamed, user)
                _ = try await call.next()
                site.signal(SIGTERM)
                await #expect(throws: WebFailure.broken) {
                    while try await call.next() != nil {}
                }
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
            }
        }

        @Test("A worker is one thread, whatever it does")
        func threads() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let streams = (0..<30).map { _ in
                Task { @LoopActor in
                    try await site.answer(Chat("paced-20-100").streamed, user)
                }
            }
            for _ in 0..<10 {
                try await Loop.sleep(milliseconds: 50)
                for worker in site.workers {
                    let threads = try FileManager.default.contentsOfDirectory(
                        atPath: "/proc/\(worker)/task")
                    #expect(threads == ["\(worker)"])
                }
            }
            for stream in streams { #expect(try await stream.value.isDone) }
            #expect(site.workers.count == 2)
        }

        @Test("A worker that hangs is replaced")
        func replacement() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                Glibc.kill(workers[0], SIGSTOP)
                let stoppedAt = Loop.now
                let isReplaced = await waitUntil(seconds: 30) {
                    site.workers.count == 2 && !site.workers.contains(workers[0])
                }
                #expect(isReplaced)
                figure("a worker that hung was replaced after \(Loop.now - stoppedAt) ms")
                #expect(!site.log.lines("worker_hangs").isEmpty)
                let answer = try await site.answer(Chat("echo"), user)
                #expect(answer.status == 200)
            }
        }

        @Test("A socket that systemd holds is taken over, and kept when the gateway ends")
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

        /// Told to all that ask, and what they have received.
        @LoopActor final class Flag {
            var isSet = false
            var count = 0
        }

        /// Asks again and again; every answer must be whole.
        private static func ask(
            _ site: Deployment, _ user: User, isStream: Bool, until stop: Flag
        ) async throws {
            while !stop.isSet {
                let chat = Chat(isStream ? "flat-20" : "echo").with { $0.isStream = isStream }
                let reply = try await site.answer(chat, user)
                #expect(reply.status == 200, "\(reply.text)")
                #expect(isStream ? reply.isDone : reply.content.hasPrefix("canary"))
                stop.count += 1
            }
        }
    }
}
