import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Parameters of a model") @LoopActor struct Parameters {
        private static func adjusted(_ site: Deployment, _ user: User, _ members: String)
            async throws
            -> String
        {
            let messages = #"[{"role":"user","content":"canary-prompt-7f3a"}]"#
            let body = #"{"model":"adjusted","messages":\#(messages)\#(members)}"#
            let reply = try await site.send("POST", "/v1/chat/completions", user.token, body)
            #expect(reply.status == 200, "\(reply.text)")
            return reply.content
        }

        @Test(
            "The provider sees defaults, other names and nothing of what is dropped, byte for byte")
        func changes() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let silent = try await Self.adjusted(site, user, #","user":"u","seed":7"#)
            #expect(silent.contains(#""temperature":0.20"#) && silent.contains(#""top_p":1e-1"#))
            #expect(silent.contains(#""chat_template_kwargs":{"deep":[1.50]}"#))
            #expect(silent.contains(#""max_completion_tokens":9"#))
            for absent in ["max_tokens", "user\":\"u", "seed"] {
                #expect(!silent.contains(absent), "\(silent)")
            }
            let loud = try await Self.adjusted(
                site, user, #","temperature":1.00,"top_p":null,"max_tokens":5.0,"top_k":3"#)
            #expect(loud.contains(#""temperature":1.00"#) && loud.contains(#""top_p":1e-1"#))
            #expect(loud.contains(#""max_completion_tokens":5.0"#) && loud.contains(#""top_k":3"#))
        }

        @Test("They are changed for Ollama's own wire too, and the stream is as ever")
        func otherWires() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for isStream in [false, true] {
                let chat = Chat("adjusted-ollama").with {
                    $0.isStream = isStream
                    $0.members["seed"] = 7
                }
                #expect(try await site.answer(chat, user).status == 200)
                let asked = try #require(site.provider.recorded.last { $0.path == "/api/chat" })
                let body = String(decoding: asked.body, as: UTF8.self)
                #expect(body.contains(#""temperature":0.20"#) && !body.contains("seed"))
            }
        }
    }
}
