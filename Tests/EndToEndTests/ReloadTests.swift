import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Reloads that fail half-way") @LoopActor struct Reloads {
        @Test("Workers that cannot live take nobody's place; what is missing comes when they can")
        func workersThatCannotLive() async throws {
            try await withDeployment { site, user in
                let workers = site.workers.sorted()
                // Read without a fault, and known for one only by whoever connects.
                try site.reconfigure {
                    $0.replacing("database: \"", with: "database: \"no_such=1 ")
                }
                site.signal(SIGHUP)
                let isStopped = await waitUntil { !site.log.lines("reload_stopped").isEmpty }
                #expect(isStopped)
                #expect(site.workers.sorted() == workers)
                #expect(try await site.answer(Chat("echo"), user).status == 200)

                // One dies meanwhile: its successors cannot live either, and the other one serves.
                Glibc.kill(workers[0], SIGKILL)
                let isTried = await waitUntil(seconds: 20) {
                    site.log.lines("worker_died").count >= 4
                }
                #expect(isTried)
                #expect(try await site.answer(Chat("echo"), user).status == 200)

                try site.reconfigure { $0.replacing("no_such=1 ", with: "") }
                let isWhole = await waitUntil(seconds: 20) {
                    site.log.lines("worker_ready").count == 3 && site.workers.count == 2
                }
                #expect(isWhole)
                site.signal(SIGHUP)
                let isReloaded = await waitUntil(seconds: 20) {
                    site.log.lines("worker_ready").count == 5 && site.workers.count == 2
                        && !site.workers.contains(workers[1])
                }
                #expect(isReloaded)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test("Workers that die while others take their place are replaced, and none is left over")
        func workersThatDie() async throws {
            try await withDeployment { site, user in
                for _ in 0..<5 {
                    let old = site.workers
                    site.signal(SIGHUP)
                    site.signal(SIGHUP)
                    Glibc.kill(old[0], SIGKILL)
                    let isNew = await waitUntil(seconds: 20) {
                        site.workers.count == 2 && Set(site.workers).isDisjoint(with: old)
                    }
                    #expect(isNew)
                    // All that were ever ready are gone but two. One may be killed after its last word.
                    let isSettled = await waitUntil(seconds: 20) {
                        let ready = Set(site.log.lines("worker_ready").map(\.["process"].string))
                        let ended = site.log.lines("worker_ended").map(\.["process"].string)
                        let died = site.log.lines("worker_died").map(\.["worker"].string)
                        return ready.subtracting(ended + died).count == 2
                            && site.workers.count == 2
                    }
                    #expect(isSettled)
                }
                let answer = try await site.answer(Chat("echo"), user)
                #expect(answer.status == 200)
            }
        }

        @Test("A new master opens the socket while the workers of a killed one still stream")
        func killedMaster() async throws {
            try await withDeployment { site, user in
                let old = site.workers
                // One that ends by itself, and one that lasts however long the new master takes.
                let held = try await site.hold(1, user)
                let streams = await site.begin(1, user) { _ in Chat("paced-60-50").streamed }
                site.signal(SIGKILL)
                _ = try await site.gatewayEnd(seconds: 5)
                try await site.startGateway()
                #expect(old.contains(where: ProcessFigures.isAlive))
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                for call in held { call.leave() }
                #expect(try await results(of: streams).allSatisfy(\.isDone))
                let areGone = await waitUntil { !old.contains(where: ProcessFigures.isAlive) }
                #expect(areGone)
            }
        }
    }
}
