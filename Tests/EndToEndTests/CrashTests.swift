import EventLoop
import Foundation
import History
import ScriptedProvider
import TestSupport
import Testing
import Trials

extension EndToEnd {
    @Suite("Crashes") @LoopActor struct Crashes {
        @Test(
            "A1: A killed worker breaks each of its streams and nobody else's; a new one serves within a second"
        )
        func kill() async throws {
            try await withDeployment { site, user in
                // One of two: its streams break, the other's go on.
                var curls = Curls(50, "paced-200-50", site, user)
                #expect(await curls.areAllReceiving())
                let workers = site.workers
                try #require(workers.count == 2)
                Glibc.kill(workers[0], SIGKILL)
                let ends = try await curls.ends()
                let broken = ends.filter { $0.code == 18 && !$0.output.contains("[DONE]") }
                let whole = ends.filter { $0.code == 0 && $0.isWhole && $0.output.contains("199:") }
                #expect(broken.count + whole.count == 50, "\(Set(ends.map(\.code)))")
                #expect(!broken.isEmpty && !whole.isEmpty)
                // Both: every stream breaks.
                curls = Curls(50, "hang-after-3", site, user)
                #expect(await curls.areAllReceiving())
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                let killedAt = Loop.now
                let next = try await site.answer(Chat("echo"), user)
                #expect(next.status == 200)
                let pause = Loop.now - killedAt
                figure("after both workers were killed a new one answered after \(pause) ms")
                #expect(pause < 15_000)
                let codes = try await curls.ends().map { $0.isWhole ? 0 : $0.code }
                #expect(codes == Array(repeating: 18, count: 50), "\(Set(codes))")
                figure("curl said 18 for \(broken.count) of \(broken.count) and for 50 of 50")
                let isWhole = await waitUntil { site.workers.count == 2 }
                #expect(isWhole && Set(site.workers).isDisjoint(with: workers))
            }
        }

        @Test(
            "A1: Streams that come one after the other are shared by the workers, and so is a crash"
        )
        func shares() async throws {
            try await withDeployment { site, user in
                var calls: [WebCall] = []
                for _ in 0..<40 { calls += try await site.hold(1, user) }
                var broken = 0
                for call in calls {
                    Task { @LoopActor in
                        defer { broken += 1 }
                        while try await call.next() != nil {}
                    }
                }
                Glibc.kill(try #require(site.workers.first), SIGKILL)
                #expect(await waitUntil { broken > 0 })
                let lost = await settled { broken }
                figure("of 40 streams that came one by one a killed worker had \(lost)")
                #expect((10...30).contains(lost))
                #expect(await waitUntil { site.questions.count { $0.closedEarly } == lost })
                for call in calls { call.leave() }
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
                if round == 2 { descriptors = site.descriptors() }
            }
            #expect(whole == 500)
            // No request leaves a descriptor behind. How the kept connections spread over the workers varies.
            let isClean = await waitUntil {
                zip(site.descriptors(), descriptors).allSatisfy { $0 <= $1 + 64 }
            }
            #expect(isClean)
        }

        @Test(
            "A1, A2: Whoever asks while workers die gets a whole answer or an error, and what is whole is stored once"
        )
        func storm() async throws {
            let outcome = try await TrialSite.run(workers: 2) { site in
                try await SeedRuns.run(
                    20_261_125, at: site, milliseconds: 5000, faults: [.killWorker])
            }
            #expect(outcome.violations.isEmpty, "\(outcome.line("storm"))")
            var figures = Figures()
            figures.add(outcome.history, outcome.stored)
            figure("a storm: \(figures)")
            #expect(figures.acknowledged > 20 && figures.broken > 3)
        }

        @Test("A1: What a dead worker was writing becomes incomplete")
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
            "A3: The workers of a killed master finish their streams, a new one takes over, and nobody is refused"
        )
        func master() async throws {
            var plan = DeploymentPlan()
            plan.inheritsSocket = true
            try await withDeployment(plan) { site, user in
                let old = site.workers
                let streams = await site.begin(8, user) { _ in Chat("paced-40-50").streamed }
                // Connections one after the other, before, while and after nobody listens: the socket keeps them.
                let connecting = Task { @LoopActor in
                    try await concurrently(10) { _ in
                        var statuses: [Int] = []
                        for _ in 0..<100 {
                            statuses.append(try await site.get("/v1/models", user).status)
                        }
                        return statuses
                    }
                }
                try await Loop.sleep(milliseconds: 100)
                site.signal(SIGKILL)
                _ = try await site.gatewayEnd(seconds: 5)
                try await site.startGateway()
                let statuses = try await connecting.value.flatMap { $0 }
                #expect(statuses == Array(repeating: 200, count: 1000), "\(Set(statuses))")
                #expect(try await results(of: streams).allSatisfy(\.isDone))
                let areGone = await waitUntil { !old.contains(where: ProcessFigures.isAlive) }
                #expect(areGone)
            }
        }
    }
}
