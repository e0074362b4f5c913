import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A storm of retries") @LoopActor struct RetryStorm {
        private static let clients = 100
        /// Attempts that a client makes, of which the first two go wrong.
        private static let attempts = 20

        /// What goes wrong with an attempt.
        private enum Fault: CaseIterable {
            /// The connection breaks in the middle of the stream.
            case cut
            /// The client waits no longer, and nobody hears of that: its connection stays.
            case timedOut
            /// The same while it waits for a whole answer.
            case timedOutUnary
            /// The client breaks the connection before there is anything.
            case impatient
        }

        /// One client, which asks until it has an answer, as the SDKs do: always by the same name, after a 409 when
        /// the reply says so.
        @LoopActor private final class Client {
            let fault: Fault
            let text: String
            private(set) var conflicts = 0
            private(set) var reply: WebReply?
            private var forgotten: [WebCall] = []

            init(_ number: Int) {
                fault = Fault.allCases[number % Fault.allCases.count]
                text = "canary-prompt storm \(number)."
            }

            var chat: Chat {
                let isStream = fault != .timedOutUnary
                return Chat("paced-20-50", text).with { $0.isStream = isStream }
                    .named("storm-\(text.filter(\.isNumber))")
            }

            func run(_ site: Deployment, _ user: User) async throws {
                for attempt in 0..<attempts {
                    let call = try site.chat(chat, user)
                    if attempt < 2 {
                        let isRefused = try await goWrong(call, site)
                        if !isRefused { continue }
                    }
                    let reply = try await call.reply()
                    guard reply.status == 409 else {
                        self.reply = reply
                        break
                    }
                    conflicts += 1
                    let pause = reply.head["retry-after"].flatMap { Int($0) } ?? 0
                    try await Loop.sleep(milliseconds: 1000 * pause + Int.random(in: 0...200))
                }
                for call in forgotten { call.leave() }
            }

            /// Lets an attempt go wrong. True when there is nothing to go wrong, since it was refused.
            private func goWrong(_ call: WebCall, _ site: Deployment) async throws -> Bool {
                switch fault {
                case .cut:
                    guard try await call.head().status == 200 else { return true }
                    _ = try await call.next()
                    call.leave()
                case .timedOut:
                    guard try await call.head().status == 200 else { return true }
                    forgotten.append(call)
                case .timedOutUnary:
                    _ = await waitUntil { !site.asked(self.text).isEmpty }
                    forgotten.append(call)
                case .impatient:
                    try await Loop.sleep(milliseconds: Int.random(in: 0...30))
                    call.leave()
                }
                return false
            }
        }

        @Test(
            "D5: A hundred clients whose answers are cut or late get one answer each, paid for once"
        )
        func storm() async throws {
            try await withDeployment { site, user in
                let clients = (0..<Self.clients).map { Client($0) }
                let start = Loop.now
                _ = try await concurrently(Self.clients) { number in
                    try await clients[number].run(site, user)
                }
                let duration = Loop.now - start
                var (calls, completed) = (0, 0)
                for client in clients {
                    let reply = try #require(client.reply)
                    #expect(
                        reply.status == 200 && reply.content.contains("19:"),
                        "\(client.text) \(reply.status) \(reply.head) \(reply.text.suffix(300))")
                    #expect(reply.isDone == client.chat.isStream)
                    let asked = site.asked(client.text)
                    calls += asked.count
                    completed += asked.filter { !$0.closedEarly && $0.ended != nil }.count
                }
                // What was cut is charged as such; it never becomes a second whole answer.
                let isSettled = try await waitUntil {
                    let usage = try await site.usage(of: user)
                    return usage.hasPrefix("completed|\(Self.clients),incomplete|")
                        && !usage.contains("failed")
                }
                #expect(isSettled)
                #expect(completed == Self.clients)
                let kept = try await site.sql(
                    "SELECT count(*), count(body) FROM idempotency_keys WHERE status = 200")
                #expect(kept == "\(Self.clients)|\(Self.clients)")
                let conflicts = clients.reduce(0) { $0 + $1.conflicts }
                figure(
                    "\(Self.clients) clients, \(calls) calls of the provider, \(completed) completed, "
                        + "\(conflicts) conflicts, \(duration) ms")
            }
        }
    }
}
