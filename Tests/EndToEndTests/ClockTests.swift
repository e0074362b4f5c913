import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The clock") @LoopActor struct Clock {
        /// The gateway asks libfaketime for the time of day, which reads there how far the clock has been set. The
        /// monotonic clock is left alone, as it is when somebody sets the other one.
        private static let preload = """
            echo +0 >"${1%/*}/clock" && export LD_PRELOAD='/usr/$LIB/faketime/libfaketime.so.1' \
            FAKETIME_TIMESTAMP_FILE="${1%/*}/clock" FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1 \
            DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1
            """

        @Test("A10: A clock that is set, forth and back, disturbs no answer; tokens expire by it")
        func jumps() async throws {
            var plan = DeploymentPlan()
            plan.limits = Self.preload
            try await withDeployment(plan) { site, user in
                let guest = try await site.makeUser(role: "user", "--days", "1")
                let workers = site.workers
                #expect(try await site.get("/v1/models", guest).status == 200)
                try site.write("+2d\n", to: "clock")
                Expected(401, "expired_api_key").check(try await site.get("/v1/models", guest))
                try site.write("+0\n", to: "clock")
                #expect(try await site.get("/v1/models", guest).status == 200)

                let answers = Task { @LoopActor in
                    try await concurrently(20) { number in
                        // Within its deadlines, which a jump of an hour would pass, or put off.
                        let model = ["paced-40-50", "slow-first-2500", "later"][number % 3]
                        return try await site.answer(Chat(model).streamed, user)
                    }
                }
                var jumps = 0
                while jumps < 40 {
                    try site.write(["+1h\n", "-1h\n", "+2d\n", "+0\n"][jumps % 4], to: "clock")
                    jumps += 1
                    try await Loop.sleep(milliseconds: 50)
                }
                let replies = try await answers.value
                let whole = replies.filter { $0.text.hasSuffix("data: [DONE]\n\n") }
                #expect(whole.count == 14)
                let late = replies.filter { $0.text.contains("provider_timeout") }
                #expect(late.count == 6)
                #expect(site.workers == workers)
                try site.write("-1h\n", to: "clock")
                site.signal(SIGTERM)
                #expect(try await site.gatewayEnd(seconds: 10) == 0)
                figure(
                    "\(jumps) jumps of an hour and of days: \(whole.count) of 14 answers whole, "
                        + "\(late.count) of 6 that hang ended by their deadlines")
            }
        }
    }
}
