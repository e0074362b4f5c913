import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    /// PostgreSQL fails in every way, and nobody is told a lie.
    @Suite("Without the database") @LoopActor struct Database {
        /// A deployment which may stop its server.
        static func plan(_ change: (inout DeploymentPlan) -> Void = { _ in }) -> DeploymentPlan {
            var plan = DeploymentPlan()
            plan.hasOwnDatabase = true
            plan.models =
                "  - { id: long, candidates: [ { provider: scripted, model: paced-160-50 } ] }\n"
            change(&plan)
            return plan
        }

        /// Lets every worker see the token, so that it is remembered.
        static func introduce(_ user: User, _ site: Deployment) async throws {
            var seen: Set<String> = []
            let isKnown = try await waitUntil(seconds: 20) {
                let replies = try await concurrently(20) { _ in
                    try await site.get("/v1/models", user)
                }
                let workers = await site.log.processes(of: replies.map(\.requestID))
                seen.formUnion(workers.values)
                return seen.count == site.plan.workers
            }
            #expect(isKnown)
        }

        /// Waits until readiness says so, with this reason; the reply.
        @discardableResult
        static func ready(
            _ status: Int, _ reason: String? = nil, _ site: Deployment, seconds: Double = 20
        ) async throws -> WebReply {
            var ready = try await site.send("GET", "/health/ready", nil)
            let isSo = try await waitUntil(seconds: seconds) {
                ready = try await site.send("GET", "/health/ready", nil)
                return ready.status == status
                    && (reason.map { ready.text.contains($0) } ?? true)
            }
            #expect(isSo, "\(ready.status) \(ready.text)")
            return ready
        }

        /// Waits until the models are answered so: each worker connects again in its own time.
        static func models(_ status: Int, _ user: User, _ site: Deployment) async throws {
            let isSo = try await waitUntil {
                try await site.get("/v1/models", user).status == status
            }
            #expect(isSo)
        }

        /// The answer of a worker that has the database again: each connects in its own time, and refuses until then.
        static func answer(
            _ chat: Chat, _ user: User, _ site: Deployment
        ) async throws -> WebReply {
            var answer = try await site.answer(chat, user)
            _ = try await waitUntil {
                if answer.status == 503 { answer = try await site.answer(chat, user) }
                return answer.status != 503
            }
            return answer
        }

        /// Waits until all that waited is in the database.
        static func isReplayed(_ site: Deployment, seconds: Double = 20) async -> Bool {
            await waitUntil(seconds: seconds) { site.spooled.isEmpty }
        }

        @Test(
            "C1: Killed, frozen and restarted under 100 streams and constant requests, it costs no answer and no turn"
        )
        func outages() async throws {
            try await withDeployment(Self.plan()) { site, user in
                try await Self.introduce(user, site)
                let streams = await site.begin(100, user) { number in
                    Chat("long", "canary \(number)").streamed.inChat("stream-\(number)")
                }
                let asking = Asking(site, user, callers: 4)
                let isWarm = await waitUntil { asking.statuses.count > 20 }
                #expect(isWarm)

                try await site.server.kill()
                try await Loop.sleep(milliseconds: 1200)
                #expect(try await Self.ready(503, nil, site).json["reasons"].array.count == 1)
                try await site.server.start()
                try await Self.ready(200, nil, site)
                try await site.server.freeze()
                try await Loop.sleep(milliseconds: 3000)
                try await site.server.thaw()
                try await Self.ready(200, nil, site)
                try await site.server.stop()
                // The streams end while it is away, and their turns with them.
                #expect(try await results(of: streams).allSatisfy(\.isDone))
                let count = try await asking.end()
                #expect(Set(asking.statuses) == [200], "\(asking.statuses.filter { $0 != 200 })")
                #expect(!site.spooled.isEmpty)
                try await site.server.start()
                let started = Loop.now
                #expect(await Self.isReplayed(site))
                figure(
                    "\(count + 100) answers over three outages; replayed after \(Loop.now - started) ms"
                )

                let turns = """
                    SELECT count(*) || '|' || count(DISTINCT conversation_id) || '|'
                        || count(*) FILTER (WHERE status = 'completed') FROM turns
                    """
                let chats = count + 100
                #expect(try await site.sql(turns) == "\(2 * chats)|\(chats)|\(2 * chats)")
                let usage = """
                    SELECT count(*) || '|' || count(DISTINCT request_id) FROM usage
                    WHERE route LIKE 'POST%'
                    """
                #expect(try await site.sql(usage) == "\(chats)|\(chats)")
            }
        }

        @Test(
            "C2: Known tokens are believed for the grace, unknown ones get 503, revoked ones stay refused"
        )
        func grace() async throws {
            try await withDeployment(Self.plan { $0.tokenGrace = 20 }) { site, user in
                let (unknown, revoked) = try await (site.makeUser(), site.makeUser())
                let began = Loop.now
                try await Self.introduce(user, site)
                try await Self.introduce(revoked, site)
                try await site.sql(
                    "UPDATE api_tokens SET revoked_at = now() WHERE user_id = '\(revoked.id)'")
                let isRefused = try await waitUntil {
                    try await site.get("/v1/models", revoked).status == 401
                }
                #expect(isRefused)
                // It ends connections some time before it has ended itself.
                let stoppedAt = Loop.now
                try await site.server.stop()
                try await Self.ready(503, "database unavailable", site)
                for _ in 0..<10 {
                    let refused = try await site.get("/v1/models", unknown)
                    Expected(503, "database_unavailable").check(refused)
                    #expect(refused.head["retry-after"] != nil)
                    #expect(try await site.get("/v1/models", revoked).status != 200)
                    let mistyped = try await site.send("GET", "/v1/models", "archi_mistyped")
                    #expect(mistyped.status == 401)
                    let kept = try await site.answer(
                        Chat("echo").with { $0.members["store"] = true }, user)
                    #expect(kept.status == 200)
                    #expect(kept.head["x-conversation-id"]?.hasPrefix("conv_") == true)
                    #expect(kept.head["x-archway-warning"]?.contains("will be stored") == true)
                    let chat = try await site.answer(Chat("echo").inChat("grace"), user)
                    #expect(chat.status == 200)
                    #expect(chat.head["x-conversation-id"] == nil)
                }
                #expect(try await site.send("GET", "/health/live", nil).status == 200)
                let isOver = try await waitUntil(seconds: 60) {
                    try await site.get("/v1/models", user).status == 503
                }
                #expect(isOver)
                figure(
                    "a known token was believed for \(Loop.now - stoppedAt) ms of a grace of 20,000"
                )
                // It counts from when the database was last heard of, which nobody but the worker knows.
                #expect(Loop.now - began >= 20_000)
                try await site.server.start()
                #expect(await Self.isReplayed(site))
                try await Self.models(200, user, site)
                try await Self.models(200, unknown, site)
                try await Self.models(401, revoked, site)
                #expect(try await site.sql("SELECT count(*) FROM stored_completions") == "10")
                #expect(try await site.sql("SELECT count(*) FROM conversations") == "11")
            }
        }

        @Test(
            "C3: When it is back, all works within five seconds, over no more connections than allowed"
        )
        func recovery() async throws {
            try await withDeployment(Self.plan()) { site, user in
                try await Self.introduce(user, site)
                try await site.server.stop()
                try await Self.ready(503, nil, site)
                // Back-off has grown by now.
                try await Loop.sleep(milliseconds: 4000)
                let asking = Asking(site, user, callers: 50)
                try await site.server.start()
                let started = Loop.now
                try await Self.ready(200, nil, site)
                let pause = Loop.now - started
                figure("ready \(pause) ms after the server")
                #expect(pause < 15_000)
                let most = try await site.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'archway'")
                // Four of the pool and one that listens, for each of two workers.
                #expect(Int(most).map { $0 <= 10 } == true, "\(most)")
                _ = try await asking.end()
                #expect(Set(asking.statuses) == [200])
                #expect(await Self.isReplayed(site))
            }
        }

        @Test(
            "C4: While it hangs, or somebody locks the tokens, who is asked for is decided within half a second"
        )
        func hang() async throws {
            try await withDeployment(Self.plan()) { site, user in
                let unknown = try await site.makeUser()
                try await Self.introduce(user, site)
                func decide(_ who: User, _ status: Int) async throws -> Int {
                    let started = Loop.now
                    let reply = try await site.get("/v1/models", who)
                    #expect(reply.status == status, "\(reply.text)")
                    return Int(Loop.now - started)
                }
                // Of five: a busy machine makes some of them late.
                func best(_ who: User, _ status: Int) async throws -> Int {
                    var best = Int.max
                    for _ in 0..<5 { best = min(best, try await decide(who, status)) }
                    return best
                }
                var locked = (0, 0)
                try await site.withLock(on: "api_tokens", "ACCESS EXCLUSIVE") {
                    locked = try await (best(user, 200), best(unknown, 503))
                }
                let isFree = try await waitUntil {
                    try await site.get("/v1/models", unknown).status == 200
                }
                #expect(isFree)
                let other = try await site.makeUser()
                try await site.server.freeze()
                let frozen = try await (best(user, 200), decide(other, 503))
                // Then its silence is known to both workers, and nobody waits for it any more.
                var times: [Int] = []
                let isSilent = try await waitUntil(seconds: 20) {
                    times = []
                    for _ in 0..<2 {
                        times += [try await decide(other, 503), try await decide(user, 200)]
                    }
                    return times.allSatisfy { $0 < 300 }
                }
                #expect(isSilent)
                try await site.server.thaw()
                figure(
                    "decided in \(locked) ms under a lock, in \(frozen) ms while it hung, then in \(times) ms"
                )
                #expect(max(locked.0, frozen.0) < 300)
                #expect(locked.1 < 1500 && frozen.1 < 4000)
                let heals = try await waitUntil(seconds: 20) {
                    try await site.get("/v1/models", other).status == 200
                }
                #expect(heals)
            }
        }
    }

    /// Callers who ask again and again, each time in a new chat.
    @LoopActor final class Asking {
        private(set) var statuses: [Int] = []
        private var isOver = false
        private var callers: [Task<Void, any Error>] = []

        init(_ site: Deployment, _ user: User, callers count: Int) {
            callers = (0..<count).map { caller in
                Task { @LoopActor in
                    var number = 0
                    while !isOver {
                        number += 1
                        let chat = Chat("echo", "canary \(caller)-\(number)")
                            .inChat("chat-\(caller)-\(number)")
                        let isStream = number.isMultiple(of: 2)
                        let reply = try await site.answer(
                            chat.with { $0.isStream = isStream }, user)
                        statuses.append(!isStream || reply.isDone ? reply.status : -1)
                    }
                }
            }
        }

        /// Lets them finish; how many answers there were.
        func end() async throws -> Int {
            isOver = true
            for caller in callers { try await caller.value }
            return statuses.count
        }
    }
}
