import EventLoop
import Foundation
import TestSupport
import Testing

/// What a dead worker had begun, and who ends it.
extension EndToEnd.Crashes {
    /// A stream into the chat `dying`, under the same name, that its provider does not go on with.
    private static let chat = Chat("hang-after-3", "canary-prompt succession").streamed
        .inChat("dying").named("dying")

    /// The only answer's status.
    private static func status(_ site: Deployment) async throws -> String {
        try await site.sql("SELECT status FROM turns WHERE role = 'assistant'")
    }

    /// The dead worker's answer becomes incomplete and its name free; after how many milliseconds.
    private static func expectEnded(
        _ site: Deployment, _ user: User, seconds: Double = 10
    ) async throws -> Int64 {
        let started = Loop.now
        let isKnown = try await waitUntil(seconds: seconds) {
            try await status(site) == "incomplete"
        }
        #expect(isKnown)
        let pause = Loop.now - started
        let isAnswered = await waitUntil {
            guard let again = try? site.chat(chat, user) else { return false }
            defer { again.leave() }
            return (try? await again.head().status) == 200
        }
        #expect(isAnswered && site.asked("canary-prompt succession").count == 2)
        return pause
    }

    @Test("A1: What a dead worker was writing becomes incomplete although its successors die too")
    func successors() async throws {
        var plan = DeploymentPlan()
        plan.hasOwnDatabase = true
        try await withDeployment(plan) { site, user in
            let call = try site.chat(Self.chat, user)
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
            let pause = try await Self.expectEnded(site, user, seconds: 30)
            figure("ended \(pause) ms after the start of the database")
        }
    }

    @Test(
        "A6: What an old worker goes on with alone after a restart is ended when that worker is killed"
    )
    func lone() async throws {
        var plan = DeploymentPlan()
        plan.inheritsSocket = true
        plan.drainTimeout = 60
        try await withDeployment(plan) { site, user in
            let call = try site.chat(Self.chat, user)
            _ = try await call.next()
            let old = try await site.worker(writing: "dying")
            site.signal(SIGTERM)
            #expect(try await site.gatewayEnd(seconds: 10) == 0)
            try await site.startGateway()
            // Nobody takes it for dead, although its master is, and others that had nothing to do have ended.
            let areEnded = await waitUntil(seconds: 20) { site.lifeFiles.count == 3 }
            #expect(areEnded && ProcessFigures.isAlive(old))
            #expect(try await Self.status(site) == "in_progress")
            #expect(site.log.lines("abandoned").isEmpty)
            Glibc.kill(old, SIGKILL)
            await #expect(throws: WebFailure.broken) {
                while try await call.next() != nil {}
            }
            let pause = try await Self.expectEnded(site, user)
            figure("ended \(pause) ms after the death of a worker without a master")
            #expect(pause < 10_000)
            let line = try #require(site.log.lines("abandoned").first)
            #expect(line["turns"].integer == 1 && line["keys"].integer == 1)
            #expect(await waitUntil(seconds: 20) { site.lifeFiles.count == 2 })
        }
    }

    @Test("A3: When master and workers are killed at once, the next start ends what they had begun")
    func everybody() async throws {
        var plan = DeploymentPlan()
        plan.inheritsSocket = true
        try await withDeployment(plan) { site, user in
            let call = try site.chat(Self.chat, user)
            _ = try await call.next()
            let workers = site.workers
            site.signal(SIGKILL)
            for worker in workers { Glibc.kill(worker, SIGKILL) }
            _ = try await site.gatewayEnd(seconds: 5)
            call.leave()
            #expect(try await Self.status(site) == "in_progress")
            try await site.startGateway()
            let pause = try await Self.expectEnded(site, user)
            figure("ended \(pause) ms after the next start was ready")
            #expect(pause < 10_000)
        }
    }

    @Test("F1: A worker that finds no folder for its life file says so once, and goes on trying")
    func homeless() async throws {
        let parent = "/tmp/archway-absent-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: parent) }
        var plan = DeploymentPlan()
        plan.spool = parent + "/spool"
        try await withDeployment(plan) { site, user in
            #expect(try await site.answer(Chat("echo"), user).status == 200)
            try await Loop.sleep(milliseconds: 2500)
            #expect(site.log.lines("life_file_failed").count == 2 && site.lifeFiles.isEmpty)
            try FileManager.default.createDirectory(
                atPath: parent, withIntermediateDirectories: false)
            #expect(await waitUntil { site.lifeFiles.count == 2 })
            let call = try site.chat(Self.chat, user)
            _ = try await call.next()
            Glibc.kill(try await site.worker(writing: "dying"), SIGKILL)
            call.leave()
            _ = try await Self.expectEnded(site, user)
        }
    }
}
