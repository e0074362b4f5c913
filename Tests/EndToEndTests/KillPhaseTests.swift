import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The moment of a kill") @LoopActor struct KillPhases {
        @Test("A2: Killed before the headers: an error of the web server, in JSON")
        func beforeHeaders() async throws {
            try await withDeployment { site, user in
                let calls = try [Chat("hang"), Chat("hang").streamed].map {
                    try site.chat($0, user)
                }
                #expect(await waitUntil { site.provider.count(of: "hang") == 2 })
                Self.killAll(site)
                for call in calls {
                    let reply = try await call.reply()
                    Expected(502, "provider_unreachable").check(reply)
                    #expect(reply.head["retry-after"] != nil)
                }
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        @Test("A2: Killed after the headers and before any text: a broken transfer")
        func beforeText() async throws {
            try await withDeployment { site, user in
                let call = try site.chat(Chat("hang").streamed, user)
                #expect(try await call.head().status == 200)
                Self.killAll(site)
                var text = ""
                await #expect(throws: WebFailure.broken) {
                    while let piece = try await call.next() {
                        text += String(decoding: piece.bytes, as: UTF8.self)
                    }
                }
                #expect(!text.contains("data:"))
            }
        }

        @Test("A2: Killed between the two bytes of a character: a broken transfer")
        func insideCharacter() async throws {
            var plan = DeploymentPlan()
            plan.bodyLimit = "8 MiB"
            plan.nginx.listen = "sndbuf=16k"
            try await withDeployment(plan) { site, user in
                var (cuts, kills) = (0, 0)
                // Where the buffers are full is chance: every other time it is inside of a character.
                while cuts == 0, kills < 24 {
                    kills += 1
                    let text = String(repeating: "x", count: kills) + Self.long
                    var request = Chat("echo", text).streamed.request
                    request.fields.append(("Authorization", "Bearer \(user.token)"))
                    let call = try site.call(request, receiveBuffer: 4096)
                    _ = try await call.next()
                    call.isReading = false
                    let isSaid = await waitUntil {
                        site.provider.recorded.last { $0.model == "echo" }?.ended != nil
                    }
                    #expect(isSaid)
                    // More than all buffers hold: the worker waits between two records of one chunk.
                    try await Loop.sleep(milliseconds: 500)
                    Self.killAll(site)
                    call.isReading = true
                    var bytes: [UInt8] = []
                    await #expect(throws: WebFailure.broken) {
                        while let piece = try await call.next() { bytes += piece.bytes }
                    }
                    #expect(!bytes.isEmpty)
                    #expect(!String(decoding: bytes, as: UTF8.self).contains("[DONE]"))
                    if bytes.last == 0xC3 { cuts += 1 }
                    #expect(try await site.answer(Chat("echo"), user).status == 200)
                }
                figure("answer \(kills) was cut inside a character, \(kills) of \(kills) broken")
                #expect(cuts > 0)
            }
        }

        @Test(
            "A2: Killed when [DONE] is out: the end is out with it, and the answer is whole and stored"
        )
        func afterDone() async throws {
            try await withDeployment { site, user in
                for round in 0..<6 {
                    let call = try site.chat(Chat("flat-20").streamed.inChat("done-\(round)"), user)
                    var reader = WebEventReader()
                    var isDone = false
                    while !isDone, let piece = try await call.next() {
                        isDone = reader.take(piece).contains { $0.data == "[DONE]" }
                    }
                    Self.killAll(site)
                    #expect(isDone)
                    #expect(try await call.next() == nil)
                    let turn = try await site.sql(
                        """
                        SELECT t.status FROM turns t JOIN conversations c
                        ON c.id = t.conversation_id
                        WHERE c.external_id = 'done-\(round)' AND t.role = 'assistant'
                        """)
                    #expect(turn == "completed")
                    #expect(try await site.answer(Chat("echo"), user).status == 200)
                }
            }
        }

        /// A character of two bytes, without a blank; less than the longest event of a provider, more than what the
        /// buffers on the way hold.
        private static let long = String(repeating: "é", count: 400_000)

        private static func killAll(_ site: Deployment) {
            for worker in site.workers { Glibc.kill(worker, SIGKILL) }
        }
    }
}
