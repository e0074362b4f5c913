import EventLoop
import Foundation
import HTTP
import JSON
import TestSupport
import Testing

extension EndToEnd {
    @Suite("OpenAI's published schemas") @LoopActor struct PublishedSchemas {
        private static func schema(_ name: String) throws -> Schema {
            let folder = Deployment.root + "/Tests/OpenAITests/Fixtures/schemas/"
            let data = try Data(contentsOf: URL(filePath: folder + name + ".json"))
            return Schema(try Document([UInt8](data)).root)
        }

        private static func expectFit(
            _ body: some Sequence<UInt8>, _ name: String,
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            let text = String(decoding: Array(body), as: UTF8.self)
            let verdict = try schema(name).verdict(on: Document(Array(body)).root)
            #expect(verdict == .valid, "\(text.prefix(1000))", sourceLocation: location)
        }

        /// What all kinds of providers and models say.
        nonisolated private static let models = [
            "echo", "usage", "reasoning", "refusal", "length", "content-filter", "tools",
            "parallel-tools", "fingerprint", "unicode", "huge-300000", "hostile", "ollama-echo",
            "ollama-tools", "quotes", "cites", "finish-without-done", "two-done", "crlf",
        ]

        @Test("allow every reply and every chunk", arguments: models, [1, 2])
        func answers(model: String, count: Int) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let chat = Chat(model, "canary-prompt-7f3a When is lunch served? [1]").with {
                $0.members["tools"] = Answers.tools
                // Ollama gives one choice at a time.
                if count > 1, !model.hasPrefix("ollama") { $0.members["n"] = count }
            }
            // What is a body of its own has nothing to say at once.
            if !["crlf", "hostile"].contains(model) {
                let reply = try await site.answer(chat, user)
                #expect(reply.status == 200, "\(reply.text)")
                try Self.expectFit(reply.body, "CreateChatCompletionResponse")
            }
            let stream = try await site.answer(
                chat.streamed.with {
                    $0.members["stream_options"] = ["include_usage": true]
                }, user)
            let events = stream.events.map(\.data).filter { $0 != "[DONE]" }
            #expect(events.count > 2)
            for event in events where !event.hasPrefix(#"{"error""#) {
                try Self.expectFit(event.utf8, "CreateChatCompletionStreamResponse")
            }
        }

        @Test("allow citations, whichever way they are told")
        func citations() async throws {
            try await Knowledge.withHandbook { site, user in
                let chat = Chat("quotes", "How many days of vacation are there?")
                for chat in [chat, chat.inChat("schemas")] {
                    let reply = try await site.answer(chat, user)
                    #expect(reply.text.contains("url_citation"))
                    try Self.expectFit(reply.body, "CreateChatCompletionResponse")
                    let stream = try await site.answer(chat.streamed, user)
                    #expect(stream.text.contains("vacation.md"))
                    for event in stream.events.dropLast() {
                        try Self.expectFit(event.data.utf8, "CreateChatCompletionStreamResponse")
                    }
                }
            }
        }

        @Test("allow the list of models, one model, and every error")
        func others() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            try Self.expectFit(try await site.get("/v1/models", user).body, "ListModelsResponse")
            try Self.expectFit(try await site.get("/v1/models/echo", user).body, "Model")
            let errors = [
                try await site.send("GET", "/nowhere", nil),
                try await site.get("/v1/models/x", user),
                try await site.send("GET", "/v1/models", "wrong"),
                try await site.send("PUT", "/v1/models", user.token),
                try await site.send("POST", "/v1/chat/completions", user.token, "{}"),
                try await site.answer(Chat("dead"), user),
                try await site.answer(Chat("status-429"), user),
            ]
            for reply in errors {
                #expect(reply.status >= 400)
                try Self.expectFit(reply.body, "ErrorResponse")
            }
            let broken = try await site.answer(Chat("cut-after-3").streamed, user)
            let last = try #require(broken.events.last)
            try Self.expectFit(last.data.utf8, "ErrorResponse")
        }

        @Test("allow what a gateway of requests has to take, and it is taken")
        func requests() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let file = Deployment.root + "/Tests/OpenAITests/Fixtures/requests.jsonl"
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            for line in lines {
                try Self.expectFit(line.utf8, "CreateChatCompletionRequest")
                let body = String(line)
                    .replacing(/"model":"(m|gpt-4o)"/, with: #""model":"echo""#)
                let reply = try await site.send("POST", "/v1/chat/completions", user.token, body)
                #expect(reply.status == 200, "\(reply.text) \(line)")
            }
        }
    }
}
