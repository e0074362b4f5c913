import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Streams") @LoopActor struct Streams {
        @Test("A stream has the published shape from its first byte to its last")
        func shape() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat("usage").streamed.with {
                $0.members["stream_options"] = ["include_usage": true]
            }
            let reply = try await site.answer(chat, user)
            #expect(reply.status == 200)
            #expect(reply.head["content-type"] == "text/event-stream")
            #expect(reply.head["cache-control"] == "no-cache, no-transform")
            // nginx keeps this field for itself.
            #expect(reply.head["x-accel-buffering"] == nil)
            let first = try #require(reply.events.first).json
            let id = try #require(first["id"].string)
            let created = try #require(first["created"].integer)
            #expect(id.hasPrefix("chatcmpl-"))
            let head =
                #"data: {"id":"\#(id)","object":"chat.completion.chunk","created":\#(created),"#
                + #""model":"usage","choices":["#
            func chunk(_ delta: String, _ finish: String = "null") -> String {
                head + #"{"index":0,"delta":{\#(delta)},"finish_reason":\#(finish)}]}"# + "\n\n"
            }
            let usage = #""usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6"#
            let expected = [
                chunk(#""role":"assistant","content":"""#), chunk(#""content":"counted""#),
                chunk(#""content":" words""#), chunk("", #""stop""#),
                head + "]," + usage + #","prompt_tokens_details":{"cached_tokens":0}}}"# + "\n\n",
                "data: [DONE]\n\n",
            ]
            #expect(reply.text == expected.joined())
        }

        @Test("Usage is told only to those who ask, and the provider is always asked")
        func usage() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let silent = try await site.answer(Chat("echo", "canary-prompt-7f3a").streamed, user)
            #expect(!silent.text.contains("usage"))
            let asked = try #require(site.provider.recorded.last { $0.model == "echo" })
            #expect(Tree(asked.body)["stream_options"]["include_usage"].boolean == true)
            let row = try await site.sql(
                "SELECT total_tokens, source FROM usage WHERE request_id = '\(silent.requestID)'")
            #expect(row == "2|provider")
        }

        @Test(
            "Each event arrives while the provider is silent, also through an nginx with default buffering",
            arguments: [Door.site, .stock])
        func notHeldBack(door: Door) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for count in [1, 3] {
                let call = try site.chat(Chat("hang-after-\(count)").streamed, user, at: door)
                defer { call.leave() }
                var reader = WebEventReader()
                var texts: [String] = []
                while texts.count < count, let piece = try await call.next() {
                    texts += reader.take(piece).compactMap(\.content).filter { !$0.isEmpty }
                }
                #expect(texts.count == count)
            }
        }

        @Test("Paced events arrive one by one through an nginx with default buffering")
        func oneByOne() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var most = 0
            // A stall of the machine brings pieces of one reply together, a buffer of nginx's those of every one.
            for _ in 0..<5 where most < 17 {
                let reply = try await site.answer(Chat("paced-20-100").streamed, user, at: .stock)
                let stamps = reply.events.compactMap(Stamp.init)
                #expect(stamps.map(\.index) == Array(0..<20))
                #expect(reply.isDone)
                // Alone: each came before the provider made the next one.
                let alone = zip(stamps, stamps.dropFirst()).filter { $0.arrived < $1.made }
                most = max(most, alone.count)
            }
            #expect(most >= 17, "\(most) of 19 alone")
        }

        @Test("Twenty paced streams lag little behind the provider")
        func lag() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let replies = try await concurrently(20) { _ in
                try await site.answer(Chat("paced-40-50").streamed, user)
            }
            let stamps = replies.flatMap { $0.events.compactMap(Stamp.init) }
            #expect(stamps.count == 20 * 40)
            let lags = stamps.map { Double($0.arrived - $0.made) / 1000 }
            let firsts = stamps.filter { $0.index == 0 }
                .map { Double($0.arrived - $0.made) / 1000 }
            let (median, slow) = (percentile(50, of: lags), percentile(99, of: lags))
            let first = percentile(99, of: firsts)
            figure("lag of a chunk p50 \(median) ms, p99 \(slow) ms; of the first p99 \(first) ms")
            #expect(median < 100)
        }

        nonisolated private static let broken = [
            ("cut-after-3", "provider_disconnected"),
            ("reset-after-3", "provider_disconnected"),
            ("no-done", "provider_disconnected"),
            ("done-without-finish", "provider_disconnected"),
            ("malformed-event", "provider_bad_response"),
            ("invalid-utf8", "provider_bad_response"),
            ("stalls", "provider_timeout"), ("later", "provider_timeout"),
            ("error-event", "provider_bad_response"),
        ]

        @Test(
            "An answer that the provider broke off ends with an error in band, and without [DONE]")
        func truth() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            _ = try await concurrently(Self.broken.count) { number in
                let (model, code) = Self.broken[number]
                let reply = try await site.answer(Chat(model).streamed, user)
                if Self.fastToFail.contains(model), reply.status == 502 {
                    // Everything came at once, so that the status itself could tell.
                    #expect(reply.error["code"].string == code, "\(model)")
                    return
                }
                let last = try #require(reply.events.last, "\(model)")
                #expect(last.json.keys == ["error"], "\(model)")
                #expect(last.json["error"].keys == ["message", "type", "param", "code"])
                #expect(last.json["error"]["code"].string == code, "\(model): \(last.data)")
                #expect(!reply.text.contains("[DONE]"), "\(model)")
                #expect(!reply.text.contains(#""finish_reason":"stop""#), "\(model)")
                let row = try await site.sql(
                    "SELECT ended FROM usage WHERE request_id = '\(reply.requestID)'")
                #expect(row == "failed", "\(model)")
            }
        }

        private static let fastToFail = [
            "done-without-finish", "malformed-event", "invalid-utf8", "error-event",
        ]

        @Test(
            "An answer that is whole is told so once, whatever follows it",
            arguments: ["finish-without-done", "two-done", "after-done", "crlf", "slow-end-500"])
        func wholeOnce(model: String) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(Chat(model).streamed, user)
            #expect(reply.isDone)
            #expect(reply.events.filter { $0.data == "[DONE]" }.count == 1)
            #expect(reply.events.filter { $0.data.contains("finish_reason\":\"stop") }.count == 1)
            #expect(!reply.text.contains("late"))
            #expect(!reply.text.contains("error"))
        }

        @Test("No line is longer than 64 KiB, however much the provider says at once")
        func longText() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reply = try await site.answer(Chat("huge-300000").streamed, user)
            #expect(reply.isDone)
            #expect(reply.content == String(repeating: "x", count: 300_000))
            #expect(reply.events.allSatisfy { $0.data.utf8.count < 65_536 })
        }
    }
}

/// A piece of the provider's text that says its number and when it was made.
struct Stamp {
    var index: Int
    /// `CLOCK_MONOTONIC`, µs.
    var made: Int64
    var arrived: Int64

    init?(_ event: WebEvent) {
        let parts = event.content?.dropLast().split(separator: ":") ?? []
        guard parts.count == 2, let index = Int(parts[0]), let made = Int64(parts[1]) else {
            return nil
        }
        (self.index, self.made, arrived) = (index, made, event.arrived)
    }
}
