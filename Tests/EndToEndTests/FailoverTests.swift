import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The next candidate") @LoopActor struct Failovers {
        @Test(
            "B16: Nothing of a candidate that failed stays in the answer of the next, or in its account"
        )
        func accounting() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for isStream in [false, true] {
                let chat = Chat("checked-failover", #"{"a":1}|none"#).with {
                    $0.isStream = isStream
                    $0.members["response_format"] = ["type": "json_object"]
                    if isStream { $0.members["stream_options"] = ["include_usage": true] }
                }
                let trial = try await Trial(chat, site, user)
                trial.expectAnswer(#"{"a":1}"#, from: "drafts")
                #expect(trial.calls == ["fingerprint-cut", "drafts"])
                #expect(trial.rows == "drafts|completed|200|1|1|provider")
                #expect(!trial.reply.text.contains("fp_1") && !trial.reply.text.contains("half"))
                let usage = trial.reply.events.compactMap { $0.json["usage"] }.last { $0.exists }
                let told = isStream ? usage : trial.reply.json["usage"]
                #expect(told?["total_tokens"].integer == 2)
            }
        }

        @Test(
            "A candidate whose wire cannot say what is asked is passed over, unless there is no other"
        )
        func inexpressible() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat("ollama-or-choices").with { $0.members["n"] = 2 }
            let trial = try await Trial(chat, site, user)
            #expect(trial.reply.status == 200 && trial.calls == ["choices"])
            #expect(trial.reply.json["choices"][1]["message"]["content"].string == "choice 1")
            #expect(trial.rows.hasPrefix("choices|completed|200|"))
            let alone = try await Trial(chat.with { $0.model = "ollama-echo" }, site, user)
            Expected(400, "invalid_value", param: "n").check(alone.reply)
            #expect(alone.calls.isEmpty && alone.rows == "|failed|400|0|0|estimated")
            let one = try await Trial(chat.with { $0.members = [:] }, site, user)
            #expect(one.reply.status == 200 && one.calls == ["echo"])
            #expect(one.reply.head["x-archway-model"] == "ollama/echo")
        }

        @Test("The reply's head names the candidate that answers, on every route to a model")
        func named() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for (path, body) in [
                ("/v1/chat/completions", #""messages":[{"role":"user","content":"canary-x"}]"#),
                ("/v1/completions", #""prompt":"canary-x""#),
                ("/v1/embeddings", #""input":"canary-x""#),
            ] {
                for (members, stream) in [("", false), (#","stream":true"#, true)]
                where !stream || !path.hasSuffix("embeddings") {
                    let reply = try await site.send(
                        "POST", path, user.token, #"{"model":"failover",\#(body)\#(members)}"#)
                    #expect(reply.status == 200, "\(path)")
                    #expect(reply.head["x-archway-model"] == "scripted/echo", "\(path)")
                }
            }
            let none = try await site.get("/v1/models", user)
            #expect(none.head["x-archway-model"] == nil)
            let refused = try await site.answer(Chat("status-400"), user)
            #expect(refused.status == 400 && refused.head["x-archway-model"] == nil)
        }

        @Test("Candidates with weights are drawn, and one of no weight is the last resort")
        func weighted() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for _ in 0..<5 {
                let trial = try await Trial(Chat("weighted", "canary-prompt two"), site, user)
                trial.expectAnswer("canary-prompt two", from: "echo")
                #expect(trial.calls == ["echo"])
            }
        }
    }
}
