import EventLoop
import Foundation
import ScriptedProvider
import System
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The host") @LoopActor struct Hosts {
        @Test("F2: A log that nobody reads holds up no request, and says afterwards what it lacks")
        func unreadLog() async throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            // As small as pipes get (F_SETPIPE_SZ).
            _ = fcntl(ends[1], 1031, 4096)
            var plan = DeploymentPlan()
            plan.standardError = ends[1]
            try await withDeployment(plan) { site, user in
                close(ends[1])
                let started = Loop.now
                for _ in 0..<20 {
                    for reply in try await concurrently(
                        10, { _ in try await site.answer(Chat("echo"), user) })
                    {
                        #expect(reply.status == 200)
                    }
                }
                figure("200 answers beside an unread log in \(Loop.now - started) ms")
                // Somebody reads again: the next line of each worker counts what was lost.
                var lines = Self.read(ends[0])
                var dropped = 0
                let isTold = try await waitUntil {
                    // Many at once, so that both workers have something to say.
                    _ = try await concurrently(8) { _ in try await site.answer(Chat("echo"), user) }
                    lines += Self.read(ends[0])
                    dropped = lines.reduce(0) { $0 + ($1["dropped_lines"].integer ?? 0) }
                    let tellers = Set(
                        lines.filter { $0["dropped_lines"].exists }.map { $0["process"].string })
                    return tellers.count == 2
                }
                #expect(isTold)
                figure("\(lines.count) lines were read and \(dropped) counted as dropped")
                #expect(lines.allSatisfy { $0["event"].string != nil })
                #expect(dropped > 100)
                #expect(lines.count + dropped > 200)

                // And a log that is closed.
                close(ends[0])
                let processes = site.workers
                for reply in try await concurrently(
                    50, { _ in try await site.answer(Chat("echo"), user) })
                {
                    #expect(reply.status == 200)
                }
                site.signal(SIGHUP)
                let isReloaded = await waitUntil(seconds: 20) {
                    site.workers.count == 2 && Set(site.workers).isDisjoint(with: processes)
                }
                #expect(isReloaded)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test("F2: Without a standard error nothing else takes its place")
        func closedLog() async throws {
            var plan = DeploymentPlan()
            plan.limits = "exec 2>&- 1>&-"
            try await withDeployment(plan) { site, user in
                for process in [site.master] + site.workers {
                    let target = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(process)/fd/2")
                    #expect(target == "/dev/null")
                }
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test(
            "F3: Names that cannot be resolved and addresses that are not there concern their models alone"
        )
        func names() async throws {
            try await withDeployment { site, user in
                try site.reconfigure {
                    $0.replacing(
                        "providers:\n",
                        with: """
                            providers:
                              nowhere: { kind: openai, base_url: "http://no-such-host.invalid/v1" }
                              six: { kind: openai, base_url: "http://[::1]:9/v1" }

                            """
                    ) + """
                          - { id: nowhere, candidates: [ { provider: nowhere, model: x } ] }
                          - { id: six, candidates: [ { provider: six, model: x } ] }

                        """
                }
                site.signal(SIGTERM)
                _ = try await site.gatewayEnd(seconds: 10)
                try await site.startGateway()
                for model in ["nowhere", "six"] {
                    let asked = Task { @LoopActor in try await site.answer(Chat(model), user) }
                    for _ in 0..<10 {
                        #expect(try await site.answer(Chat("echo"), user).status == 200)
                    }
                    Expected(502, "provider_unreachable").check(try await asked.value)
                }
            }
        }

        /// What lies in a pipe, as lines of the log.
        private static func read(_ pipe: Int32) -> [Tree] {
            _ = fcntl(pipe, F_SETFL, O_NONBLOCK)
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = Glibc.read(pipe, &bytes, bytes.count)
            guard count > 0 else { return [] }
            return bytes[..<count].split(separator: 0x0a).map { Tree($0) }
        }
    }
}
