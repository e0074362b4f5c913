import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Callers who leave") @LoopActor struct Departures {
        enum Phase: String, CaseIterable {
            case unasked = "before the provider has answered anything"
            case bridged = "while comments bridge the silence"
            case midStream = "in the middle"
            case atEnd = "after the last text"
            case unary = "during a whole answer"

            var chat: Chat {
                switch self {
                case .midStream: Chat("paced-60-50").streamed
                case .unasked, .bridged: Chat("hang").streamed
                case .atEnd: Chat("slow-end-500").streamed
                case .unary: Chat("hang")
                }
            }

            /// What the caller has received when he leaves.
            var received: String {
                switch self {
                case .unasked, .unary: ""
                case .bridged: " 200"
                case .midStream: #""content":"0:"#
                case .atEnd: #""content":"ok"#
                }
            }
        }

        enum Version: String, CaseIterable { case http1 = "HTTP/1.1", http2 = "HTTP/2" }

        @Test(
            "D1: The provider's connection closes at once, and what was said is kept as incomplete",
            arguments: Phase.allCases, Version.allCases)
        func departure(phase: Phase, version: Version) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let delays = try await concurrently(3) { number in
                let id = "departure-\(phase)-\(version)-\(number)"
                let chat = phase.chat.with { $0.messages = [Chat.user("canary-prompt \(id)")] }
                    .inChat(id)
                let left =
                    switch version {
                    case .http1: try await Self.leave(try site.chat(chat, user), phase, site, id)
                    case .http2:
                        try await Self.leave(try CurlCall(chat, site, user), phase, site, id)
                    }
                let isClosed = await waitUntil { Self.seen(site, id)?.ended != nil }
                #expect(isClosed)
                let seen = try #require(Self.seen(site, id))
                #expect(seen.closedEarly)
                try await Self.check(site, id, hasText: [.midStream, .atEnd].contains(phase))
                return Double(try #require(seen.ended) - left) / 1000
            }
            figure("\(phase.rawValue), \(version.rawValue): closed after \(delays) ms")
            // The promise, of the best of three: caller and provider are this process, which may wait for its turn.
            #expect(delays.min() ?? .infinity <= 250)
        }

        @Test("D1: A stream of HTTP/2 that is reset closes its own provider, and no other stream's")
        func oneOfTwo() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let connection = try HTTP2Connection(site)
            defer { connection.leave() }
            var delays: [Double] = []
            let other = "canary-prompt goes on"
            connection.ask(Self.request("paced-20-100", other, user), stream: 1)
            for stream in [3, 5, 7] as [UInt32] {
                let id = "canary-prompt reset \(stream)"
                connection.ask(Self.request("hang-after-3", id, user), stream: stream)
                #expect(
                    await waitUntil { connection.text(of: stream).contains(#""content":"2:"#) })
                let left = microseconds()
                connection.reset(stream: stream)
                #expect(await waitUntil { Self.seen(site, id)?.ended != nil })
                let seen = try #require(Self.seen(site, id))
                #expect(seen.closedEarly)
                delays.append(Double(try #require(seen.ended) - left) / 1000)
            }
            figure("reset streams of HTTP/2: closed after \(delays) ms")
            #expect(delays.min() ?? .infinity <= 250)
            #expect(await waitUntil { connection.ended.contains(1) })
            #expect(connection.text(of: 1).hasSuffix("data: [DONE]\n\n"))
            #expect(Self.seen(site, other)?.closedEarly == false)
        }

        private static func request(_ model: String, _ text: String, _ user: User) -> WebRequest {
            var request = Chat(model, text).streamed.request
            request.fields.append(("Authorization", "Bearer \(user.token)"))
            return request
        }

        @Test("D1: A model that is to finish goes on without its caller, and all of it is kept")
        func finishing() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let call = try site.chat(Chat("finishes").streamed.inChat("finishing"), user)
            try await Self.wait(for: Phase.midStream.received, call)
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

        @Test("D1: A curl that is killed counts as one who leaves")
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

        /// Waits for what the caller shall have received, and for the provider to have been asked. When he left.
        private static func leave(
            _ call: WebCall, _ phase: Phase, _ site: Deployment, _ id: String
        ) async throws -> Int64 {
            try await wait(for: phase.received, call)
            #expect(await waitUntil { seen(site, id) != nil })
            call.leave()
            return try #require(call.leftAt)
        }

        private static func leave(
            _ call: CurlCall, _ phase: Phase, _ site: Deployment, _ id: String
        ) async throws -> Int64 {
            let hasReceived = await waitUntil {
                phase.received.isEmpty || call.output.contains(phase.received)
            }
            #expect(hasReceived)
            #expect(await waitUntil { seen(site, id) != nil })
            try await call.leave()
            return try #require(call.leftAt)
        }

        private static func wait(for received: String, _ call: WebCall) async throws {
            guard !received.isEmpty else { return }
            guard received != Phase.bridged.received else {
                _ = try await call.head()
                return
            }
            var text = ""
            while !text.contains(received), let piece = try await call.next() {
                text += String(decoding: piece.bytes, as: UTF8.self)
            }
        }

        /// One answer, incomplete; one usage row, incomplete.
        private static func check(_ site: Deployment, _ id: String, hasText: Bool) async throws {
            var row = ""
            let isKept = try await waitUntil {
                row = try await site.sql(
                    """
                    SELECT t.status, (t.content LIKE '%0:%' OR t.content LIKE '%ok%'), count(u.id), min(u.ended)
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
