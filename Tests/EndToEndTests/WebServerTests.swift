import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The web server comes and goes") @LoopActor struct WebServers {
        @Test("A8: While nginx reloads, streams go on and new requests are served")
        func reload() async throws {
            try await withDeployment { site, user in
                let streams = await site.begin(20, user) { _ in Chat("paced-40-50").streamed }
                for _ in 0..<5 {
                    site.signalNginx(SIGHUP)
                    for _ in 0..<5 {
                        let answer = try await site.answer(Chat("echo"), user)
                        #expect(answer.status == 200)
                    }
                }
                #expect(try await results(of: streams).allSatisfy(\.isDone))
            }
        }

        @Test(
            "A8: What nginx breaks off, at its shutdown timeout or its own end, is broken off at the provider"
        )
        func endings() async throws {
            var plan = DeploymentPlan()
            plan.nginx.main = "worker_shutdown_timeout 1s;"
            try await withDeployment(plan) { site, user in
                _ = try await concurrently(20) { _ in try await site.answer(Chat("echo"), user) }
                let before = site.descriptors()
                for round in 1...2 {
                    let calls = try (0..<20).map { _ in
                        try site.chat(Chat("hang-after-3").streamed, user)
                    }
                    for call in calls { _ = try await call.next() }
                    let started = microseconds()
                    if round == 1 {
                        site.signalNginx(SIGHUP)
                    } else {
                        try await site.restartNginx()
                    }
                    let broken = await Self.breaks(of: calls)
                    #expect(broken.count == 20)
                    let areClosed = await waitUntil { Self.ends(site).count == 20 * round }
                    #expect(areClosed)
                    // From the first break that a client saw to the last that the provider saw.
                    let delays = Self.ends(site).suffix(20).map { $0 - (broken.min() ?? started) }
                    figure(
                        "\(round == 1 ? "shutdown timeout" : "restart") of nginx: the provider's "
                            + "connections closed within \((delays.max() ?? 0) / 1000) ms")

                }
                let isClean = await waitUntil {
                    zip(site.descriptors(), before).allSatisfy { $0 <= $1 + 4 }
                }
                #expect(isClean, "more descriptors than \(before)")
                let areStored = try await waitUntil {
                    try await site.sql(
                        "SELECT ended, count(*) FROM usage WHERE model = 'hang-after-3' GROUP BY ended"
                    )
                        == "incomplete|40"
                }
                #expect(areStored)
            }
        }

        /// When the clients saw their streams break (`CLOCK_MONOTONIC`, µs).
        private static func breaks(of calls: [WebCall]) async -> [Int64] {
            var moments: [Int64] = []
            for task in calls.map({ call in Task { @LoopActor in await Self.end(of: call) } }) {
                if let moment = await task.value { moments.append(moment) }
            }
            return moments
        }

        private static func end(of call: WebCall) async -> Int64? {
            do {
                while try await call.next() != nil {}
                return nil
            } catch {
                return microseconds()
            }
        }

        /// When the provider saw callers leave.
        private static func ends(_ site: Deployment) -> [Int64] {
            site.provider.recorded.filter { $0.model == "hang-after-3" && $0.closedEarly }
                .compactMap(\.ended).sorted()
        }
    }
}
