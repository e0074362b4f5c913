import JSON
import OpenAI
import Testing

@Suite struct ReplyTests {
    @Test("a reply has our id, time and model, and every member that the schema requires")
    func completion() throws {
        let choice = ChatCompletion.Choice(
            index: 0, message: [Member("content", "Nine [1]."), Member("reasoning_content", "…")],
            finishReason: .stop)
        var reply = ChatCompletion(
            id: "chatcmpl-1", created: 5, model: "assistant", choices: [choice],
            usage: Usage(promptTokens: 3, completionTokens: 4, source: .estimated))
        reply.citations = [
            Citation(number: 1, title: "H", sourceID: "d", passages: [.init("Nine.")])
        ]
        let root = try Document(reply.body()).root
        #expect(
            root.members.map(\.key) == [
                "id", "object", "created", "model", "choices", "usage", "citations",
            ])
        #expect(root["object"]?.string == "chat.completion")
        #expect(root["usage"]?["total_tokens"]?.integer == 7)
        let message = try #require(root["choices"]?[0]?["message"])
        #expect(
            message.members.map(\.key) == [
                "role", "content", "refusal", "reasoning_content", "annotations",
            ])
        #expect(message["refusal"]?.isNull == true)
        #expect(root["choices"]?[0]?["logprobs"]?.isNull == true)
        #expect(message["annotations"]?[0]?["file_citation"]?["index"]?.integer == 5)
        #expect(root["citations"]?[0]?["excerpt"]?.string == "Nine.")
    }

    @Test("a stream put together again is the reply")
    func draft() throws {
        var draft = ChatDraft()
        draft.append(ChoiceDelta(delta: [Member("reasoning_content", "Hm")]))
        draft.append(Array(#"a\""#.utf8)[...])
        draft.append(Array("b".utf8)[...])
        let logprobs = Array(#"{"content":[{"token":"x"}],"refusal":null}"#.utf8)
        draft.append(ChoiceDelta(index: 1, delta: [Member("content", "x")], logprobs: logprobs))
        draft.append(ChoiceDelta(index: 1, finishReason: .length, logprobs: logprobs))
        let choices = draft.completed()
        #expect(choices.map(\.index) == [0, 1])
        #expect(choices[0].text == "a\"b")
        #expect(choices[1].finishReason == .length)
        #expect(
            choices[1].logprobs.map(text)
                == #"{"content":[{"token":"x"},{"token":"x"}],"refusal":null}"#)
        #expect(draft.text == "a\"b")
        #expect(draft.text("reasoning_content") == "Hm")
        #expect(draft.finishReason == nil)
    }

    @Test(
        "usage without sense is none, without total it is summed",
        arguments: [
            (#"{}"#, nil), (#"{"prompt_tokens":-1,"completion_tokens":1}"#, nil),
            (#"{"prompt_tokens":"1"}"#, nil), (#"{"prompt_tokens":2,"completion_tokens":3}"#, 5),
            (#"{"prompt_tokens":2,"total_tokens":2}"#, 2),
        ])
    func usage(_ json: String, _ total: Int?) throws {
        #expect(Usage(try Document(Array(json.utf8)).root)?.totalTokens == total)
    }

    @Test("models are listed with the five members that clients read")
    func models() throws {
        let list = ModelList([Model(id: "a", created: 1, ownedBy: "house")])
        #expect(
            text(list.body())
                == #"""
                {"object":"list","data":[{"id":"a","object":"model","created":1,\#
                "owned_by":"house","name":"a"}]}
                """#
        )
    }
}
