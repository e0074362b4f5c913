import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Callers who leave") @LoopActor struct Departures {
        enum Phase: String, CaseIterable {
            case midStream = "mid-stream"
            case beforeFirstByte = "before the first byte"
            case whileBridged = "while comments bridge the silence"
            case unary = "during a whole answer"

            var chat: Chat {
                switch self {
                case .midStream: Chat("paced-60-50").streamed
                case .beforeFirstByte, .whileBridged: Chat("hang").streamed
                case .unary: Chat("hang")
                }
            }
        }

        @Test(
            "The provider's connection closes at once, and what was said is kept as incomplete",
            arguments: Phase.allCases)
        func departure(phase: Phase) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var delays: [Double] = []
            for round in 0..<5 {
                let id = "departure-\(phase)-\(round)"
                let chat = phase.chat.with { $0.messages = [Chat.user("canary-prompt \(id)")] }
                let call = try site.chat(chat.inChat(id), user)
                try await Self.wait(for: phase, call)
                let isAsked = await waitUntil { Self.seen(site, id) != nil }
                #expect(isAsked)
                call.leave()
                let isClosed = await waitUntil { Self.seen(site, id)?.ended != nil }
                #expect(isClosed)
                let seen = try #require(Self.seen(site, id))
                #expect(seen.closedEarly)
                let (ended, left) = try (#require(seen.ended), #require(call.leftAt))
                delays.append(Double(ended - left) / 1000)
                try await Self.check(site, id, hasText: phase == .midStream)
            }
            figure("\(phase.rawValue), the provider saw the departure after \(delays) ms")
            #expect(delays.allSatisfy { $0 < 2000 })
        }

        @Test("A model that is to finish goes on without its caller, and all of it is kept")
        func finishing() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let call = try site.chat(Chat("finishes").streamed.inChat("finishing"), user)
            try await Self.wait(for: .midStream, call)
            call.leave()
            var row = ""
            let isWhole = try await waitUntil {
                row = try await site.sql(
                    """
                    SELECT t.status, t.content FROM turns t JOIN conversations c
                    ON c.id = t.conversation_id
                    WHERE c.external_id = 'finishing' AND t.role = 'assistant'
                    """)
                return row.hasPrefix("completed")
            }
            #expect(isWhole && row.contains("39:"), "\(row)")
        }

        @Test("A curl that is killed counts as one who leaves")
        func curl() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let outcome = try await Program.run([
                "curl", "-sS", "--max-time", "0.5", "-H", "Authorization: Bearer \(user.token)",
                "-H", "Content-Type: application/json", site.url() + "/v1/chat/completions",
                "-d",
                #"{"model":"hang","messages":[{"role":"user","content":"canary-prompt curl"}]}"#,
            ])
            #expect(outcome.code == 28)
            let isClosed = await waitUntil { Self.seen(site, "canary-prompt curl")?.ended != nil }
            #expect(isClosed)
        }

        /// Leaves while the provider is silent. Its connection closes, and there is one more usage row, incomplete.
        static func leave(
            _ site: Deployment, _ user: User, _ path: String, _ body: String
        ) async throws {
            var request = WebRequest("POST", path)
            request.fields = [
                ("Content-Type", "application/json"), ("Authorization", "Bearer \(user.token)"),
            ]
            request.body = Array(body.utf8)
            let earlier = site.provider.recorded.count
            func asked() -> Recorded? {
                site.provider.recorded.dropFirst(earlier).last { $0.path == path }
            }
            func rows() async throws -> Int? {
                Int(
                    try await site.sql(
                        """
                        SELECT count(*) FROM usage WHERE route = 'POST \(path)' AND model = 'hang'
                        AND ended = 'incomplete' AND status IN (200, 499) AND prompt_tokens > 0
                        """))
            }
            let before = try #require(try await rows())
            let call = try site.call(request)
            #expect(await waitUntil { asked() != nil })
            call.leave()
            #expect(await waitUntil { asked()?.ended != nil })
            #expect(asked()?.closedEarly == true)
            let isCharged = try await waitUntil { try await rows() == before + 1 }
            #expect(isCharged)
        }

        /// What the provider has noted of the request with this text.
        private static func seen(_ site: Deployment, _ text: String) -> Recorded? {
            site.provider.recorded.last {
                String(decoding: $0.body, as: UTF8.self).contains("\(text)\"")
            }
        }

        private static func wait(for phase: Phase, _ call: WebCall) async throws {
            switch phase {
            case .beforeFirstByte, .unary: break
            case .whileBridged: _ = try await call.head()
            case .midStream:
                var reader = WebEventReader()
                while let piece = try await call.next() {
                    let texts = reader.take(piece).compactMap(\.content)
                    if texts.contains(where: { !$0.isEmpty }) { return }
                }
            }
        }

        /// One answer, incomplete; one usage row, incomplete.
        private static func check(_ site: Deployment, _ id: String, hasText: Bool) async throws {
            var row = ""
            let isKept = try await waitUntil {
                row = try await site.sql(
                    """
                    SELECT t.status, t.content LIKE '%0:%', count(u.id), min(u.ended)
                    FROM conversations c JOIN turns t ON t.conversation_id = c.id
                    LEFT JOIN usage u ON u.request_id = t.request_id
                    WHERE c.external_id = '\(id)' AND t.role = 'assistant'
                    GROUP BY t.id, t.status, t.content
                    """)
                return row == "incomplete|\(hasText ? "t" : "f")|1|incomplete"
            }
            #expect(isKept, "\(row)")
        }
    }
}
