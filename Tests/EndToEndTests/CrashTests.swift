import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Crashes") @LoopActor struct Crashes {
        @Test(
            "A killed worker breaks each of its streams and nobody else's; a new one serves within a second"
        )
        func kill() async throws {
            try await withDeployment { site, user in
                // One of two: its streams break, the other's go on.
                var curls = Curls(50, "paced-60-50", site, user)
                #expect(await curls.areAllReceiving())
                let workers = site.workers
                try #require(workers.count == 2)
                Glibc.kill(workers[0], SIGKILL)
                let ends = try await curls.ends()
                let broken = ends.filter { $0.code == 18 && !$0.output.contains("[DONE]") }
                let whole = ends.filter { $0.code == 0 && $0.isWhole && $0.output.contains("59:") }
                #expect(broken.count + whole.count == 50, "\(Set(ends.map(\.code)))")
                #expect(!broken.isEmpty && !whole.isEmpty)
                // Both: every stream breaks.
                curls = Curls(50, "paced-60-50", site, user)
                #expect(await curls.areAllReceiving())
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                let killedAt = Loop.now
                let next = try await site.answer(Chat("echo"), user)
                #expect(next.status == 200)
                let pause = Loop.now - killedAt
                figure("after both workers were killed a new one answered after \(pause) ms")
                #expect(pause < 3000)
                let codes = try await curls.ends().map { $0.isWhole ? 0 : $0.code }
                #expect(codes == Array(repeating: 18, count: 50), "\(Set(codes))")
                figure("curl said 18 for \(broken.count) of \(broken.count) and for 50 of 50")
                let isWhole = await waitUntil { site.workers.count == 2 }
                #expect(isWhole && Set(site.workers).isDisjoint(with: workers))
            }
        }

        @Test("500 of 500 answers are whole while nobody is killed")
        func complete() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var (whole, descriptors) = (0, [Int]())
            for round in 0..<10 {
                let replies = try await concurrently(50) { number in
                    let text = "canary-prompt \(number)"
                    return number.isMultiple(of: 2)
                        ? try await site.answer(Chat("echo", text), user).content == text
                        : try await site.answer(Chat("flat-20").streamed, user).isDone
                }
                whole += replies.filter { $0 }.count
                // By now connections to the provider and to the database are kept open.
                if round == 2 { descriptors = try Self.descriptors(site) }
            }
            #expect(whole == 500)
            // No request leaves a descriptor behind. How the kept connections spread over the workers varies.
            let isClean = try await waitUntil {
                try zip(Self.descriptors(site), descriptors).allSatisfy { $0 <= $1 + 64 }
            }
            #expect(isClean)
        }

        @Test("Whoever asks while workers die gets a whole answer or an error, never half of one")
        func storm() async throws {
            try await withDeployment { site, user in
                let end = Loop.now + 2500
                let callers = (0..<8).map { number in
                    Task { @LoopActor in
                        await Self.ask(site, user, isStream: number.isMultiple(of: 2), until: end)
                    }
                }
                for _ in 0..<3 {
                    try await Loop.sleep(milliseconds: 600)
                    if let worker = site.workers.randomElement() { Glibc.kill(worker, SIGKILL) }
                }
                var counts: [String: Int] = [:]
                for caller in callers { counts.merge(await caller.value) { $0 + $1 } }
                figure("answers while workers died: \(counts)")
                #expect(counts["half"] == nil)
                #expect(counts["whole", default: 0] > 20)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test("What a dead worker was writing becomes incomplete")
        func abandoned() async throws {
            try await withDeployment { site, user in
                let call = try site.chat(Chat("hang-after-3").streamed.inChat("dying"), user)
                _ = try await call.next()
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                await #expect(throws: WebFailure.broken) {
                    while try await call.next() != nil {}
                }
                let isKnown = try await waitUntil {
                    try await site.sql("SELECT status FROM turns WHERE role = 'assistant'")
                        == "incomplete"
                }
                #expect(isKnown)
            }
        }

        @Test(
            "When the master is killed its workers finish their streams, and a new master takes the socket over"
        )
        func master() async throws {
            var plan = DeploymentPlan()
            plan.inheritsSocket = true
            try await withDeployment(plan) { site, user in
                let old = site.workers
                let streams = (0..<8).map { _ in
                    Task { @LoopActor in
                        try await site.answer(Chat("paced-40-50").streamed, user)
                    }
                }
                let areRunning = await waitUntil {
                    site.provider.recorded.filter { $0.model == "paced-40-50" }.count == 8
                }
                #expect(areRunning)
                site.signal(SIGKILL)
                _ = try await site.gatewayEnd(seconds: 5)
                // Nobody listens, and nobody is refused: the socket keeps the question.
                let waiting = Task { @LoopActor in try await site.answer(Chat("echo"), user) }
                try await site.startGateway()
                #expect(try await waiting.value.status == 200)
                for stream in streams { #expect(try await stream.value.isDone) }
                let areGone = await waitUntil { !old.contains(where: Deployment.isAlive) }
                #expect(areGone)
            }
        }

        /// Asks again and again, and counts whole answers, errors, and half answers that look like whole ones.
        private static func ask(
            _ site: Deployment, _ user: User, isStream: Bool, until end: Int64
        ) async -> [String: Int] {
            var counts: [String: Int] = [:]
            while Loop.now < end {
                let chat = Chat(isStream ? "flat-20" : "echo").with { $0.isStream = isStream }
                var word = "broken"
                if let reply = try? await site.answer(chat, user) {
                    let isWhole = isStream ? reply.isDone : reply.content.hasPrefix("canary")
                    word = isWhole ? "whole" : reply.status >= 500 ? "refused" : "half"
                }
                counts[word, default: 0] += 1
            }
            return counts
        }

        /// The open descriptors of each worker.
        private static func descriptors(_ site: Deployment) throws -> [Int] {
            try site.workers.map {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\($0)/fd").count
            }
        }
    }
}
