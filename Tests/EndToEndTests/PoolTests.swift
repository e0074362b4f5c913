import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The pool") @LoopActor struct Pools {
        @Test(
            "A7: Reloads under constant requests lose none and refuse none, and take the new configuration"
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
                    #expect(await waitUntil(seconds: 30) { stop.count > before + 60 })
                }
                // And as fast as a script gone wild would have it.
                for _ in 0..<20 {
                    site.signal(SIGHUP)
                    try await Loop.sleep(milliseconds: 200)
                }
                stop.isSet = true
                for caller in callers { try await caller.value }
                #expect(try await long.value.isDone)
                let reloads = site.log.lines("reload").count
                figure("\(stop.count) answers during \(reloads) reloads, all whole")
                #expect(reloads > 3)
                let isSettled = await waitUntil { site.workers.count == 2 }
                #expect(isSettled)
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        @Test("A7: A broken configuration is refused with line and column, and the old one stays")
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

        @Test("A worker is one thread, whatever it does")
        func threads() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let streams = await site.begin(30, user) { _ in Chat("paced-20-100").streamed }
            for _ in 0..<10 {
                try await Loop.sleep(milliseconds: 50)
                for worker in site.workers {
                    let threads = try FileManager.default.contentsOfDirectory(
                        atPath: "/proc/\(worker)/task")
                    #expect(threads == ["\(worker)"])
                }
            }
            #expect(try await results(of: streams).allSatisfy(\.isDone))
            #expect(site.workers.count == 2)
        }

        @Test("A5: A worker that hangs is replaced, and the other one serves meanwhile")
        func replacement() async throws {
            try await withDeployment { site, user in
                let workers = site.workers
                Glibc.kill(workers[0], SIGSTOP)
                let stoppedAt = Loop.now
                // What it had accepted before it stood still waits; nothing new goes there.
                for _ in 0..<20 {
                    #expect(try await site.answer(Chat("echo"), user).status == 200)
                }
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
