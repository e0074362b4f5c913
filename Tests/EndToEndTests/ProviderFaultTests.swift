import EventLoop
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Providers that fail") @LoopActor struct ProviderFaults {
        private static func trial(_ model: String, isStream: Bool) async throws -> Trial {
            let (site, user) = try await Shared.holding()
            let chat = Chat(model, question).with { $0.isStream = isStream }
            return try await Trial(chat, site, user)
        }

        private static let question = "canary-prompt two"

        /// Where there is another candidate, that one is asked after the first, and answers.
        @discardableResult
        private static func expectNext(after model: String, isStream: Bool) async throws -> Trial {
            let trial = try await trial(model + "-then-echo", isStream: isStream)
            trial.expectAnswer(question, from: "echo")
            #expect(trial.calls.count == 2)
            return trial
        }

        @Test(
            "B1: A provider that asks to wait is asked again then, or not at all",
            arguments: [false, true])
        func askedToWait(isStream: Bool) async throws {
            var trial = try await Self.trial("busy-1-1", isStream: isStream)
            trial.expectAnswer("at last", from: "busy-1-1")
            #expect(trial.calls.count == 2)
            figure("B1: asked again after \(trial.pauses) ms of the 1000 that were asked for")
            #expect(trial.pauses.allSatisfy { $0 >= 1000 && $0 < 15_000 })
            for (model, expected) in [
                ("busy-9-60", Expected(429, "provider_rate_limited")),
                ("overload-9-60", Expected(502, "provider_bad_response")),
            ] {
                trial = try await Self.trial(model, isStream: isStream)
                trial.expectError(expected, from: model)
                #expect(trial.calls == [model])
                #expect(trial.reply.head["retry-after"] == "60")
                trial = try await Self.expectNext(after: model, isStream: isStream)
                // Long before the minute that was asked for.
                #expect(trial.pauses.allSatisfy { $0 < 15_000 })
            }
        }

        @Test(
            "B2: A busy provider that names no time is asked again after a short pause",
            arguments: [false, true])
        func busy(isStream: Bool) async throws {
            let trial = try await Self.trial("busy-1", isStream: isStream)
            trial.expectAnswer("at last", from: "busy-1")
            #expect(trial.calls.count == 2)
            figure("B2: asked again after \(trial.pauses) ms")
            #expect(trial.pauses.allSatisfy { $0 >= 200 && $0 < 10_000 })
            try await Self.expectNext(after: "busy-1", isStream: isStream)
        }

        @Test("B3: One 500 is not seen by the caller", arguments: [false, true])
        func hiccup(isStream: Bool) async throws {
            let trial = try await Self.trial("flaky-1", isStream: isStream)
            trial.expectAnswer("well", from: "flaky-1")
            #expect(trial.calls == ["flaky-1", "flaky-1"])
        }

        @Test("B4: A steady 503 ends after three attempts", arguments: [false, true])
        func steady(isStream: Bool) async throws {
            let trial = try await Self.trial("overload-9", isStream: isStream)
            trial.expectError(Expected(502, "provider_bad_response"), from: "overload-9")
            #expect(trial.calls.count == 3)
            figure("B4: three attempts, with pauses of \(trial.pauses) ms")
            try await Self.expectNext(after: "overload-9", isStream: isStream)
        }

        @Test(
            "B5: A reset before the reply's head is not seen by the caller",
            arguments: [false, true])
        func reset(isStream: Bool) async throws {
            var trial = try await Self.trial("flaky-reset-1", isStream: isStream)
            trial.expectAnswer("well", from: "flaky-reset-1")
            #expect(trial.calls.count == 2)
            trial = try await Self.trial("reset-before-headers", isStream: isStream)
            trial.expectError(
                Expected(502, "provider_disconnected"), from: "reset-before-headers")
            #expect(trial.calls.count == 3)
            try await Self.expectNext(after: "reset-before-headers", isStream: isStream)
        }

        @Test(
            "B6: A silent provider is asked once, and the next candidate answers",
            arguments: [false, true])
        func silent(isStream: Bool) async throws {
            var trial = try await Self.trial("late", isStream: isStream)
            trial.expectError(Expected(504, "provider_timeout"), from: "hang")
            #expect(trial.calls == ["hang"])
            trial = try await Self.expectNext(after: "late", isStream: isStream)
            figure("B6: the next candidate was asked after \(trial.pauses) ms of silence")
        }

        @Test("B7: A slow first token is waited for, with the status held and then comments")
        func slowFirst() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            site.provider.clear()
            let started = Loop.now
            let call = try site.chat(Chat("slow-first-6500").streamed, user)
            let head = try await call.head()
            let held = Loop.now - started
            figure("B7: the status came after \(held) ms of a first_event_hold of 2000")
            #expect(head.status == 200 && held >= 1950)
            // Nobody knew yet who would answer: it came before the first word.
            #expect(head["x-archway-model"] == nil)
            var reader = WebEventReader()
            var events: [WebEvent] = []
            while let piece = try await call.next() { events += reader.take(piece) }
            #expect(reader.others.count >= 2 && Set(reader.others) == [": keep-alive"])
            #expect(events.compactMap(\.content).joined() == "at last")
            #expect(events.last?.data == "[DONE]")
            #expect(site.questions.count == 1)
        }

        @Test(
            "B8, B9: A stream that is cut ends with an error, and nobody begins anew",
            arguments: [40, 60])
        func cut(words: Int) async throws {
            for model in ["cut-after-\(words)", "cut-after-\(words)-then-echo"] {
                let trial = try await Self.trial(model, isStream: true)
                trial.expectBreak(
                    after: words, "provider_disconnected", from: "cut-after-\(words)")
            }
            // Of an answer in one piece nothing has reached the caller.
            let trial = try await Self.trial("cut-after-\(words)", isStream: false)
            trial.expectError(
                Expected(502, "provider_disconnected"), from: "cut-after-\(words)")
            #expect(trial.calls.count == 3)
            try await Self.expectNext(after: "cut-after-\(words)", isStream: false)
        }

        @Test("B10: A stream that stalls ends with an error, and nobody begins anew")
        func stall() async throws {
            for model in ["stalls", "stalls-then-echo"] {
                let trial = try await Self.trial(model, isStream: true)
                trial.expectBreak(after: 3, "provider_timeout", from: "hang-after-3")
            }
        }

        @Test(
            "B11: A malformed event fails over before the first word, and ends the stream after it")
        func malformed() async throws {
            var trial = try await Self.trial("malformed-first", isStream: true)
            trial.expectError(Expected(502, "provider_bad_response"), from: "malformed-first")
            #expect(trial.calls.count == 3)
            try await Self.expectNext(after: "malformed-first", isStream: true)
            for model in ["malformed-late", "malformed-late-then-echo"] {
                trial = try await Self.trial(model, isStream: true)
                trial.expectBreak(after: 1, "provider_bad_response", from: "malformed-late")
            }
        }

        @Test("B12: A missing [DONE] after the finish reason is no fault")
        func missingDone() async throws {
            let trial = try await Self.trial("finish-without-done", isStream: true)
            trial.expectAnswer("finished", from: "finish-without-done")
            #expect(trial.calls.count == 1)
        }

        @Test(
            "B13: What the provider refuses is told at once, and nobody else is asked",
            arguments: [false, true])
        func refused(isStream: Bool) async throws {
            for model in ["status-400-context", "status-400-context-then-echo"] {
                let trial = try await Self.trial(model, isStream: isStream)
                trial.expectError(
                    Expected(400, "context_length_exceeded", param: "messages"),
                    from: "status-400-context")
                #expect(trial.calls.count == 1)
            }
            // The caller's own beginning of an answer, which the second candidate does not go on with.
            let (site, user) = try await Shared.holding()
            let chat = Chat("no-prefill").with {
                $0.messages.append(Chat.assistant("canary-answer The"))
                $0.isStream = isStream
            }
            let trial = try await Trial(chat, site, user)
            trial.expectError(Expected(400, "invalid_value"), from: "status-400-prefill")
            #expect(trial.calls == ["status-500", "status-400-prefill"])
            #expect(trial.reply.error["message"].string?.contains("assistant's") == true)
        }

        @Test("B14: A content filter is no fault of the provider's", arguments: [false, true])
        func filtered(isStream: Bool) async throws {
            for model in ["status-400-filter", "status-400-filter-then-echo"] {
                let trial = try await Self.trial(model, isStream: isStream)
                trial.expectError(
                    Expected(400, "content_filter", type: "content_policy_violation"),
                    from: "status-400-filter")
                #expect(trial.calls.count == 1)
            }
            let trial = try await Self.trial("content-filter", isStream: isStream)
            trial.expectAnswer("filtered", from: "content-filter")
            #expect(trial.reply.text.contains(#""finish_reason":"content_filter""#))
        }

        @Test("A pause that would outlast the whole deadline is not begun")
        func wholeDeadline() async throws {
            let started = Loop.now
            let trial = try await Self.trial("later-busy", isStream: false)
            trial.expectError(Expected(429, "provider_rate_limited"), from: "busy-9-9")
            #expect(trial.calls.count == 1 && trial.reply.head["retry-after"] == "9")
            #expect(Loop.now - started < 8000)
        }

        @Test("Who leaves during the pause before another attempt is not asked for again")
        func departure() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            for isStream in [false, true] {
                site.provider.clear()
                let chat = Chat("busy-9-9").with { $0.isStream = isStream }
                let before = try await Self.departed(site)
                let call = try site.chat(chat, user)
                #expect(await waitUntil { !site.questions.isEmpty })
                // The provider's answer is there, and the pause of nine seconds has begun.
                #expect(await waitUntil { site.questions.first?.ended != nil })
                call.leave()
                // Before the pause is over.
                let isRecorded = try await waitUntil(seconds: 8) {
                    try await Self.departed(site) == before + 1
                }
                #expect(isRecorded)
                #expect(site.questions.count == 1)
            }
        }

        private static func departed(_ site: Deployment) async throws -> Int {
            let count = try await site.sql(
                "SELECT count(*) FROM usage WHERE model = 'busy-9-9' AND ended = 'incomplete'")
            return Int(count) ?? 0
        }
    }
}
