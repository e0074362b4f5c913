import JSON
import OpenAI
import Testing

/// OpenAI's schema of this name.
func publishedSchema(_ name: String) throws -> Schema {
    Schema(try Document(fixture("schemas/\(name).json")).root)
}

/// Records an issue if a text does not fit OpenAI's schema of this name.
func expectFit(
    _ body: [UInt8], _ name: String, _ location: SourceLocation = #_sourceLocation
) throws {
    let verdict = try publishedSchema(name).verdict(on: Document(body).root)
    #expect(verdict == .valid, "\(text(body.prefix(2000)))", sourceLocation: location)
}

/// What we say fits the schemas that OpenAI publishes, and what they allow is understood.
@Suite("OpenAI's published schemas") struct PublishedSchemaTests {
    private static let logprobs = Logprobs.object([
        "content": Array(
            #"""
            {"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.1,"bytes":null}]}
            """#.utf8)
    ])
    private static let calls = [
        ToolCall(id: "call_1", name: "f", arguments: "{}"),
        ToolCall(id: "call_2", name: "code", arguments: "1 + 1", isCustom: true),
    ]
    private static let citation: Citation = {
        var passage = Citation.Passage("Text.")
        passage.page = 2
        passage.score = 0.5
        var citation = Citation(number: 1, title: "T", sourceID: "doc_1", passages: [passage])
        citation.url = "https://example.org/a"
        return citation
    }()

    private static func choice(
        _ members: [Member], _ reason: FinishReason = .stop, index: Int = 0,
        logprobs: [UInt8]? = nil
    ) -> ChatCompletion.Choice {
        ChatCompletion.Choice(
            index: index, message: members, finishReason: reason, logprobs: logprobs)
    }

    private static func completion(
        _ choices: ChatCompletion.Choice..., change: (inout ChatCompletion) -> Void = { _ in }
    ) -> [UInt8] {
        var completion = ChatCompletion(
            id: "chatcmpl-1", created: 1, model: "m", choices: choices,
            usage: Usage(promptTokens: 1, completionTokens: 2, source: .estimated))
        change(&completion)
        return completion.body()
    }

    @Test("allow every reply of a chat completion")
    func replies() throws {
        let origin = try Document(
            Array(#"{"system_fingerprint":"fp","service_tier":"default"}"#.utf8))
        let reasons: [FinishReason] = [.stop, .length, .contentFilter]
        for reason in reasons {
            try expectFit(
                Self.completion(Self.choice([Member("content", "a [1]")], reason)) {
                    $0.origin = Origin(origin.root)
                    $0.citations = [Self.citation]
                    $0.metadata = ["a": "b"]
                }, "CreateChatCompletionResponse")
        }
        let others = [
            Self.completion(
                Self.choice([Member("content", "a")], logprobs: Self.logprobs),
                Self.choice([Member("content", "b")], index: 1)),
            Self.completion(
                Self.choice(
                    [Member("tool_calls", .array(Self.calls.map(\.value)))], .toolCalls)),
            Self.completion(Self.choice([Member("refusal", "No.")])) { $0.usage = nil },
            Self.completion(
                Self.choice(
                    [Member("function_call", ["name": "f", "arguments": "{}"])], .functionCall)),
            Self.completion(
                Self.choice([Member("reasoning_content", "Hm."), Member("content", "a")])),
        ]
        for body in others { try expectFit(body, "CreateChatCompletionResponse") }
    }

    @Test("allow every chunk of a stream, and its failure")
    func chunks() throws {
        var template = ChunkTemplate(id: "chatcmpl-1", created: 1, model: "m")
        template.adopt(Origin())
        var output = template.opening(choices: 2)
        template.text(Array(#"a \"b\""#.utf8)[...], into: &output)
        output += template.choices([
            ChoiceDelta(delta: [Member("refusal", "No.")]),
            ChoiceDelta(delta: [Member("reasoning_content", "Hm.")]),
            ChoiceDelta(index: 1, delta: [Member("content", "x")], logprobs: Self.logprobs),
            ChoiceDelta(toolCalls: [ToolCallDelta(index: 0, id: "call_1", name: "f")]),
            ChoiceDelta(toolCalls: [ToolCallDelta(index: 0, arguments: Array("{}".utf8))]),
            ChoiceDelta(delta: [Member("function_call", ["name": "f", "arguments": ""])]),
            ChoiceDelta(index: 1, finishReason: .length),
        ])
        output += template.finish(.toolCalls)
        output += template.annotations([Self.citation], in: "a [1]")
        output += template.sources([Self.citation])
        output += template.status("Searched handbook: 1 document")
        output += template.usage(Usage(promptTokens: 1, completionTokens: 2, source: .counted))
        let chunks = try events(output)
        #expect(chunks.count > 12)
        for chunk in chunks { try expectFit(chunk.bytes, "CreateChatCompletionStreamResponse") }
        let failure = try #require(try events(template.failure(.providerDisconnected)).first)
        try expectFit(failure.bytes, "ErrorResponse")
    }

    @Test(
        "do not know what documents without an address, and custom tools in a stream, are told by")
    func additions() throws {
        var citation = Self.citation
        citation.url = nil
        let reply = Self.completion(Self.choice([Member("content", "a [1]")])) {
            $0.citations = [citation]
        }
        let response = try publishedSchema("CreateChatCompletionResponse")
        #expect(
            response.verdict(on: try Document(reply).root)
                == .invalid(#"$.choices[0].message.annotations[0].type must be "url_citation""#))
        let piece = ToolCallDelta(index: 0, id: "c", name: "code", isCustom: true)
        let template = ChunkTemplate(id: "chatcmpl-1", created: 1, model: "m")
        let chunk = try events(template.choices([ChoiceDelta(toolCalls: [piece])])).first
        let stream = try publishedSchema("CreateChatCompletionStreamResponse")
        #expect(
            stream.verdict(on: try #require(chunk).root)
                == .invalid(#"$.choices[0].delta.tool_calls[0].type must be "function""#))
    }

    @Test(
        "allow the usage of providers, whatever they make of its details",
        arguments: [
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":null}"#,
            #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"completion_tokens_details":[]}"#,
            #"""
            {"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,
            "completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":null,"text_tokens":"2"}}
            """#,
            #"{"prompt_tokens":1.0,"total_tokens":3}"#,
        ])
    func usage(json: String) throws {
        let usage = try #require(Usage(try Document(Array(json.utf8)).root))
        let body = Self.completion(Self.choice([Member("content", "")])) { $0.usage = usage }
        try expectFit(body, "CreateChatCompletionResponse")
        #expect(!text(body).contains("reasoning") || text(body).contains(#""reasoning_tokens":1"#))
    }

    @Test("are told no tier that they do not have")
    func tiers() throws {
        let root = try Document(Array(#"{"service_tier":"on_demand"}"#.utf8)).root
        #expect(Origin(root).isEmpty)
    }

    @Test("allow models and errors")
    func others() throws {
        let model = Model(id: "a", created: 1, ownedBy: "archway", name: "A")
        try expectFit(model.body(), "Model")
        try expectFit(ModelList([model, model]).body(), "ListModelsResponse")
        try expectFit(ModelList([]).body(), "ListModelsResponse")
        let errors: [APIError] = [
            .emptyBody, .bodyNotAnObject, .missingParameter("messages"), .missingAPIKey,
            .invalidValue("n", "it must be less"), .modelNotFound("x"), .notFound, .internalError,
            .providerRateLimited(retryAfter: 1), .overloaded, .formatMissed("$ must be an object"),
        ]
        for error in errors {
            try expectFit(error.body(), "ErrorResponse")
            try expectFit(error.value.encoded(), "Error")
        }
    }

    @Test("allow no request that is not accepted")
    func requests() throws {
        let lines = try fixture("requests.jsonl").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 70)
        for line in lines {
            try expectFit(Array(line), "CreateChatCompletionRequest")
            #expect(throws: Never.self, "\(text(line))") { try ChatCompletionRequest(Array(line)) }
        }
    }

    @Test("refuse what they should, so that the checks above can fail")
    func sharpness() throws {
        for (name, body) in [
            ("CreateChatCompletionRequest", #"{"model":"m","messages":[{"role":"user"}]}"#),
            (
                "CreateChatCompletionRequest",
                #"{"model":"m","messages":[{"role":"user","content":""}],"tools":[{"type":"function"}]}"#
            ),
            (
                "CreateChatCompletionResponse",
                text(Self.completion(Self.choice([Member("content", 1)])))
            ),
            ("ListModelsResponse", #"{"object":"list","data":[{"id":"a"}]}"#),
            ("ErrorResponse", #"{"error":{"message":"a","type":"b","param":null}}"#),
        ] {
            let verdict = try publishedSchema(name).verdict(on: Document(Array(body.utf8)).root)
            guard case .invalid = verdict else {
                Issue.record("\(name) allows \(body)")
                continue
            }
        }
    }
}
