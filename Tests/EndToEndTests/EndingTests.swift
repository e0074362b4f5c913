import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension Deployment {
    /// The usage rows of a request, or of all of a model's, as `count|ended|status|source|provider`.
    func ending(_ condition: String) async throws -> String {
        try await sql(
            """
            SELECT count(*), min(ended), min(status), min(source), coalesce(min(provider), '')
            FROM usage WHERE \(condition)
            """)
    }
}

extension EndToEnd {
    @Suite("How replies end") @LoopActor struct Endings {
        /// A model, whether it streams, and its usage row.
        private static let chats: [(String, isStream: Bool, row: String)] = [
            ("usage", false, "1|completed|200|provider|scripted"),
            ("usage", true, "1|completed|200|provider|scripted"),
            ("status-500", false, "1|failed|502|estimated|scripted"),
            ("status-500", true, "1|failed|502|estimated|scripted"),
            ("cut-after-3", false, "1|failed|502|estimated|scripted"),
            ("cut-after-3", true, "1|failed|200|estimated|scripted"),
            ("dead", false, "1|failed|502|estimated|dead"),
            ("late", true, "1|failed|504|estimated|hasty"),
        ]

        @Test("Every chat leaves one usage row, which says how it ended and who counted")
        func chats() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            _ = try await concurrently(Self.chats.count) { number in
                let (model, isStream, row) = Self.chats[number]
                let reply = try await site.answer(
                    Chat(model).with { $0.isStream = isStream }, user)
                #expect(reply.isDone == (isStream && row.contains("completed")))
                let found = try await site.ending("request_id = '\(reply.requestID)'")
                #expect(found == row, "\(model), streamed: \(isStream)")
            }
        }

        @Test(
            "So do text completions and embeddings",
            arguments: ["/v1/completions", "/v1/embeddings"])
        func others(path: String) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let rows = [
                ("echo", "1|completed|200|provider|scripted"),
                ("status-500", "1|failed|502|estimated|scripted"),
                ("dead", "1|failed|502|estimated|dead"),
            ]
            _ = try await concurrently(rows.count) { number in
                let (model, row) = rows[number]
                let member = path.hasSuffix("embeddings") ? "input" : "prompt"
                let body = #"{"model":"\#(model)","\#(member)":"canary-prompt"}"#
                let reply = try await site.send("POST", path, user.token, body)
                let found = try await site.ending("request_id = '\(reply.requestID)'")
                #expect(found == row, "\(model)")
            }
        }

        @Test("D1: So does a chat whose caller leaves before any provider was asked")
        func unasked() async throws {
            let site = try await Shared.deployment()
            let user = try await site.makeUser()
            try await site.withLock(on: "turns", "EXCLUSIVE") {
                let chat = Chat("echo", "canary-prompt unasked").streamed.inChat("unasked")
                let call = try site.chat(chat.event("unasked"), user)
                #expect(try await site.awaited("turns") != nil)
                call.leave()
                // The gateway hears of it before it may store anything.
                #expect(await waitUntil { site.hasGivenUp("unasked") })
            }
            let isRecorded = try await waitUntil {
                try await site.ending("user_id = '\(user.id)'") == "1|incomplete|499|estimated|"
            }
            #expect(isRecorded)
            #expect(site.asked("canary-prompt unasked").isEmpty)
        }

        @Test(
            "An answer that is finished for a caller who heard nothing of it is whole, and his 499")
        func unheard() async throws {
            let site = try await Shared.deployment()
            for isStream in [true, false] {
                let user = try await site.makeUser()
                let text = "canary-prompt unheard \(isStream)"
                let chat = Chat("finishes-late", text).with { $0.isStream = isStream }
                let call = try site.chat(chat, user)
                #expect(await waitUntil { site.asked(text).count == 1 })
                call.leave()
                let isRecorded = try await waitUntil {
                    try await site.ending("user_id = '\(user.id)'")
                        == "1|completed|499|provider|scripted"
                }
                #expect(isRecorded)
            }
        }

        @Test(
            "A worker that ends records what it cuts, whether its caller has heard anything or not")
        func drained() async throws {
            var plan = DeploymentPlan()
            plan.drainTimeout = 0
            try await withDeployment(plan) { site, user in
                let (open, waiting) = (
                    try site.chat(Chat("hang-after-3").streamed, user),
                    try site.chat(Chat("hang"), user)
                )
                _ = try await open.next()
                #expect(await waitUntil { site.asked("\"hang").count == 2 })
                site.signal(SIGTERM)
                let refused = try await waiting.reply()
                Expected(503, "draining").check(refused)
                let told = try await open.reply()
                #expect(told.events.last?.json["error"]["code"].string == "draining")
                #expect(!told.isDone)
                _ = try await site.gatewayEnd(seconds: 10)
                #expect(
                    try await site.ending("model = 'hang'") == "1|incomplete|503|estimated|scripted"
                )
                #expect(
                    try await site.ending("model = 'hang-after-3'")
                        == "1|incomplete|200|estimated|scripted")
            }
        }
    }
}
