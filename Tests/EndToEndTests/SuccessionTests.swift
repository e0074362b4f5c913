import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd.Crashes {
    @Test("What a dead worker was writing becomes incomplete although its successors die too")
    func successors() async throws {
        var plan = DeploymentPlan()
        plan.hasOwnDatabase = true
        try await withDeployment(plan) { site, user in
            let call = try site.chat(Chat("hang-after-3").streamed.inChat("dying"), user)
            _ = try await call.next()
            // Whoever comes next cannot mark it, and dies.
            try await site.server.stop()
            for generation in 1...2 {
                for worker in site.workers { Glibc.kill(worker, SIGKILL) }
                let areThere = await waitUntil(seconds: 30) {
                    site.log.lines("worker_ready").count == 2 + 2 * generation
                        && site.workers.count == 2
                }
                #expect(areThere)
            }
            call.leave()
            try await site.server.start()
            let isKnown = try await waitUntil(seconds: 30) {
                try await site.sql("SELECT status FROM turns WHERE role = 'assistant'")
                    == "incomplete"
            }
            #expect(isKnown)
        }
    }
}
