import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Many at once") @LoopActor struct Loads {
        @Test("Of 100 mixed requests at once each gets exactly its own answer")
        func ownContent() async throws {
            let (site, first) = try await (Shared.deployment(), Shared.user())
            let users = [first, try await site.makeUser()]
            let replies = try await concurrently(100) { number in
                let text =
                    "canary-prompt \(number) " + String(repeating: "é\(number) ", count: number)
                let reply = try await site.answer(Self.chat(number, text), users[number % 2])
                return (number, text, reply)
            }
            var processes: Set<String> = []
            for (number, text, reply) in replies {
                #expect(reply.status == 200)
                if number % 5 == 4 {
                    let stamps = reply.events.compactMap(Stamp.init)
                    #expect(stamps.map(\.index) == Array(0..<20))
                    #expect(reply.isDone)
                } else if number % 5 == 3 {
                    #expect(Said(reply).calls.map(\.name) == ["weather"])
                } else {
                    #expect(reply.content == text)
                }
                let ids = Set(reply.events.compactMap { $0.json["id"].string })
                #expect(ids.count == (reply.events.isEmpty ? 0 : 1))
                processes.insert(await site.log.request(reply.requestID)?["process"].string ?? "")
            }
            #expect(processes.count == 2)
            let ids = Set(replies.map { $0.2.requestID })
            #expect(ids.count == 100)
        }

        @Test("A caller who does not read holds up his provider, and nobody else")
        func slowReader() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let slow = try site.chat(Chat("bulk-3000").streamed, user)
            _ = try await slow.head()
            slow.isReading = false
            func provider() -> Recorded? {
                site.provider.recorded.last { $0.model == "bulk-3000" }
            }
            // Many megabytes fit into the buffers in between; the rest must wait at the provider.
            try await Loop.sleep(milliseconds: 700)
            let others = try await concurrently(20) { number in
                try await site.answer(Chat("echo", "canary-prompt \(number)"), user).content
            }
            #expect(others == (0..<20).map { "canary-prompt \($0)" })
            #expect(provider()?.ended == nil)
            slow.isReading = true
            var reader = WebEventReader()
            var numbers: [Int] = []
            while let piece = try await slow.next() {
                numbers += reader.take(piece).compactMap { event in
                    // Not parsed as JSON: that is slow, and not what is tested here.
                    event.data.firstRange(of: #""content":""#).flatMap {
                        Int(event.data[$0.upperBound...].prefix { $0 != " " })
                    }
                }
            }
            #expect(numbers == Array(0..<3000))
            let isEnded = await waitUntil { provider()?.ended != nil }
            #expect(isEnded && provider()?.closedEarly == false)
        }

        private static func chat(_ number: Int, _ text: String) -> Chat {
            switch number % 5 {
            case 0: Chat("echo", text)
            case 1: Chat("echo", text).streamed
            case 2: Chat("ollama-echo", text).streamed
            case 3:
                Chat("tools", text).streamed.with { $0.members["tools"] = Answers.tools }
            default: Chat("paced-20-100", text).streamed
            }
        }
    }
}
