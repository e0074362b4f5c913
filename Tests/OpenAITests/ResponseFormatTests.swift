import JSON
import OpenAI
import Testing

@Suite("The format that a response must have") struct ResponseFormatTests {
    private static let object = #"{"type":"json_object"}"#
    private static let schema =
        #"{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","required":["a"]}}}"#

    private static func format(_ json: String) throws -> ResponseFormat? {
        ResponseFormat(try Document(Array(json.utf8)).root)
    }

    private static func choice(
        _ content: String, _ reason: FinishReason = .stop, _ more: [Member] = []
    ) -> ChatCompletion.Choice {
        ChatCompletion.Choice(
            index: 0, message: [Member("content", .string(content))] + more, finishReason: reason)
    }

    /// `nil` for what fits, `?` for what could not be checked.
    private static func fault(_ format: String, _ choices: ChatCompletion.Choice...) throws
        -> String?
    {
        switch try #require(try Self.format(format)).check(choices) {
        case .fits: nil
        case .misfit(_, let fault): fault
        case .unchecked: "?"
        }
    }

    @Test("is none where text is asked for, or nothing")
    func none() throws {
        #expect(try Self.format(#"{"type":"text"}"#) == nil)
        #expect(try Self.format("null") == nil)
        #expect(ResponseFormat(nil) == nil)
    }

    @Test(
        "is missed by what is no JSON, no object, or not of the schema",
        arguments: [
            ("{}", nil, "$.a is missing"), (#" {"a":1}  "#, nil, nil),
            (
                "", "it is not valid JSON (the text is empty at byte 0)",
                "it is not valid JSON (the text is empty at byte 0)"
            ),
            ("[]", "$ must be an object", "$ must be an object"),
            (
                "```json\n{}\n```", "it is not valid JSON (unexpected character at byte 0)",
                "it is not valid JSON (unexpected character at byte 0)"
            ),
            (
                #"{"a":1,"a":2}"#, "it is not valid JSON (duplicate key at byte 7)",
                "it is not valid JSON (duplicate key at byte 7)"
            ),
        ] as [(String, String?, String?)])
    func misfits(content: String, object: String?, schema: String?) throws {
        #expect(try Self.fault(Self.object, Self.choice(content)) == object)
        #expect(try Self.fault(Self.schema, Self.choice(content)) == schema)
    }

    @Test("is asked of every choice, and the first that misses it is told")
    func choices() throws {
        let finding = try #require(try Self.format(Self.schema))
            .check([Self.choice(#"{"a":1}"#), Self.choice("b"), Self.choice("c")])
        guard case .misfit(let text, _) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(text == "b")
    }

    @Test("is not asked of what was cut off or withheld, of refusals and of calls")
    func exceptions() throws {
        let call = ToolCall(id: "c", name: "f", arguments: "{}")
        let choices = [
            Self.choice("{", .length), Self.choice("{", .contentFilter),
            Self.choice("", .toolCalls, [Member("tool_calls", .array([call.value]))]),
            Self.choice("", .stop, [Member("refusal", "I")]),
            Self.choice("", .functionCall, [Member("function_call", ["name": "f"])]),
        ]
        for choice in choices { #expect(try Self.fault(Self.object, choice) == nil) }
        for refusal in [Value.null, ""] {
            let choice = Self.choice("x", .stop, [Member("refusal", refusal)])
            #expect(try Self.fault(Self.object, choice) != nil)
        }
    }

    @Test("is any object where no schema is given")
    func withoutSchema() throws {
        let format = #"{"type":"json_schema","json_schema":{"name":"a"}}"#
        #expect(try Self.fault(format, Self.choice("{}")) == nil)
        #expect(try Self.fault(format, Self.choice("1")) == "$ must be an object")
    }

    @Test("is open where a check takes too much")
    func unchecked() throws {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(try Self.fault(Self.object, Self.choice(deep)) == "?")
        let format = ##"{"type":"json_schema","json_schema":{"schema":{"$ref":"#/nowhere"}}}"##
        #expect(try Self.fault(format, Self.choice("{}")) == "?")
    }

    @Test("a request goes on with an answer and what is said to it, byte for byte the same before")
    func again() throws {
        let before =
            #"{"model":"m", "temperature":0.70,"messages":[ {"role":"user","content":"\u00fc"} ]}"#
        let again = try request(before).adding(answer: "a \"b\"", reply: "No.")
        #expect(
            text(again.document.bytes)
                == #"{"model":"m", "temperature":0.70,"messages":[ {"role":"user","content":"\u00fc"},"#
                + #"{"role":"assistant","content":"a \"b\""},{"role":"user","content":"No."} ]}"#)
        #expect(again.messages.map(\.role) == [.user, .assistant, .user])
    }
}

@Suite("What a stream has said, once more") struct StepsTests {
    @Test("is the same for whoever heard nothing of it, in chunks that are not too long")
    func steps() throws {
        var draft = ChatDraft()
        let token = Array(#"{"token":"t","logprob":-0.5,"bytes":null,"top_logprobs":[]}"#.utf8)
        let logprobs = Logprobs.object(["content": token])
        draft.append(ChoiceDelta(delta: [Member("reasoning_content", "Hm")]))
        draft.append(Array("a\\n".utf8)[...])
        for _ in 0..<3000 {
            draft.append(ChoiceDelta(index: 1, delta: [Member("content", "t")], logprobs: logprobs))
        }
        draft.append(ChoiceDelta(toolCalls: [ToolCallDelta(index: 0, id: "c", name: "f")]))
        draft.append(ChoiceDelta(toolCalls: [ToolCallDelta(index: 0, arguments: Array("{}".utf8))]))
        draft.append(ChoiceDelta(index: 1, finishReason: .stop))

        let template = ChunkTemplate(id: "chatcmpl-1", created: 1, model: "m")
        var again = ChatDraft()
        for chunk in try events(template.choices(draft.steps())) {
            #expect(chunk.bytes.count < 65_530)
            let choice = try #require(chunk.root["choices"]?[0])
            #expect(choice["finish_reason"]?.isNull == true)
            again.append(try Self.step(choice))
        }
        let (first, second) = (draft.completed(), again.completed())
        for (one, other) in zip(first, second) {
            #expect(
                Value.object(one.message).encoded() == Value.object(other.message).encoded())
            #expect(one.logprobs == other.logprobs)
        }
        #expect(first.count == 2 && second.count == 2)
    }

    private static func step(_ choice: Node) throws -> ChoiceDelta {
        var step = ChoiceDelta(index: try #require(choice["index"]?.integer))
        for (key, value) in try #require(choice["delta"]).members where key != "tool_calls" {
            step.delta.append(Member(key, .verbatim(Array(value.bytes))))
        }
        for call in choice["delta"]?["tool_calls"]?.elements.map({ $0 }) ?? [] {
            step.toolCalls.append(
                ToolCallDelta(
                    index: call["index"]?.integer ?? 0, id: call["id"]?.string,
                    name: call["function"]?["name"]?.string,
                    arguments: Array(
                        (call["function"]?["arguments"]?.bytes ?? []).dropFirst().dropLast())))
        }
        if let logprobs = choice["logprobs"], !logprobs.isNull {
            step.logprobs = Array(logprobs.bytes)
        }
        return step
    }
}
