import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Too few descriptors, too many requests") @LoopActor struct Exhaustions {
        @Test(
            "A9: With few descriptors a worker takes fewer streams, refuses the rest, and recovers")
        func smallLimit() async throws {
            var plan = DeploymentPlan()
            plan.limits = "ulimit -n 128"
            try await withDeployment(plan) { site, user in
                #expect(
                    site.log.lines("streams_limited").map { $0["streams"].integer } == [32, 32])
                let calls = try (0..<150).map { _ in
                    try site.chat(Chat("hang-after-1").streamed, user)
                }
                var (open, refused) = ([WebCall](), 0)
                for call in calls {
                    if try await call.head().status == 200 {
                        open.append(call)
                        continue
                    }
                    let reply = try await call.reply()
                    Expected(503, "overloaded").check(reply)
                    #expect(reply.head["retry-after"] != nil)
                    refused += 1
                }
                figure("ulimit -n 128, two workers: \(open.count) streams, \(refused) refused")
                #expect(open.count <= 64 && open.count >= 32)
                for call in open { call.leave() }
                let recovers = try await waitUntil {
                    try await site.answer(Chat("echo"), user).status == 200
                }
                #expect(recovers)
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        @Test(
            "A9: Without a descriptor requests are refused, nothing spins, and all is well when there are some"
        )
        func noneLeft() async throws {
            var plan = DeploymentPlan()
            plan.workers = 1
            try await withDeployment(plan) { site, user in
                _ = try await concurrently(10) { _ in try await site.answer(Chat("echo"), user) }
                let worker = site.workers[0]
                let streams = try (0..<10).map { _ in
                    try site.chat(Chat("hang-after-1").streamed, user)
                }
                for stream in streams { _ = try await stream.next() }
                try await Self.limit(worker, to: Self.limit(of: worker, leaving: 0))
                for _ in 0..<20 {
                    let reply = try await site.answer(Chat("echo"), user)
                    Expected(503, "overloaded").check(reply)
                    #expect(reply.head["retry-after"] != nil)
                }
                #expect(try await site.send("GET", "/health/live", nil).status == 200)
                #expect(try await site.get("/v1/models", user).status == 200)
                #expect(site.log.lines("descriptors_exhausted").count == 1)

                // Connections that say nothing take the last one, and more wait: nobody can be accepted.
                let silent = try (0..<50).map { _ in try FastCGIClient(site.socket) }
                let before = (time: site.processorTime(), at: Loop.now)
                try await Loop.sleep(milliseconds: 2000)
                let share = (site.processorTime() - before.time) * 100 / Int(Loop.now - before.at)
                figure("a worker that can accept nobody uses \(share) % of a processor")
                #expect(share < 5)
                for client in silent { client.close() }
                let isBack = try await waitUntil {
                    try await site.answer(Chat("echo"), user).error["code"].string == "overloaded"
                }
                #expect(isBack)

                try await Self.limit(worker, to: 1024)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                for stream in streams { stream.leave() }
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        @Test(
            "A9: A descriptor that is missing for the provider is an error that says to come again")
        func missing() async throws {
            var plan = DeploymentPlan()
            plan.workers = 1
            try await withDeployment(plan) { site, user in
                let worker = site.workers[0]
                // The connection to the provider that was kept is in use.
                let stream = try site.chat(Chat("hang-after-1").streamed, user)
                _ = try await stream.next()
                // Enough for the web server's connection, not for one to the provider.
                try await Self.limit(worker, to: Self.limit(of: worker, leaving: 1))
                let reply = try await site.answer(Chat("echo"), user)
                Expected(503, "overloaded").check(reply)
                #expect(reply.head["retry-after"] != nil)
                stream.leave()
                try await Self.limit(worker, to: 1024)
                let heals = try await waitUntil(seconds: 20) {
                    try await site.answer(Chat("echo"), user).status == 200
                }
                #expect(heals)
                #expect(site.log.lines("worker_died").isEmpty)
            }
        }

        /// The limit under which a process can open so many more descriptors.
        private static func limit(of process: Int32, leaving spare: Int) -> Int32 {
            let open = ProcessFigures.descriptors(of: process)
            var (limit, free) = (Int32(0), 0)
            while free < spare || open.contains(limit) {
                if !open.contains(limit) { free += 1 }
                limit += 1
            }
            return limit
        }

        private static func limit(_ process: Int32, to count: Int32) async throws {
            try await Program.output(["prlimit", "--pid", "\(process)", "--nofile=\(count):4096"])
        }
    }
}
