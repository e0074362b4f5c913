import OpenAI
import Testing

@Suite struct CanonicalMessageTests {
    private func bytes(_ message: String) throws -> [UInt8] {
        try #require(try talk(message).messages.last).canonical.bytes
    }

    @Test(
        "spellings of one message are one",
        arguments: [
            (#"{"role":"user","content":"ü"}"#, #"{"content":"\u00fc","role":"user"}"#),
            (
                #"{"role":"user","content":"a"}"#,
                #"{"role":"user","content":[{"type":"text","text":"a"}]}"#
            ),
            (#"{"role":"system","content":"a"}"#, #"{"role":"developer","content":"a"}"#),
            (#"{"role":"assistant","content":"a"}"#, #"{"role":"assistant","content":"\n a \n"}"#),
            (
                #"""
                {"role":"assistant","content":"","tool_calls":[{"index":0,"id":"c",\#
                "type":"function","function":{"name":"f","arguments":""}}]}
                """#,
                #"""
                {"role":"assistant","content":null,"tool_calls":[{"id":"c",\#
                "type":"function","function":{"name":"f","arguments":"{}"}}]}
                """#
            ),
            (
                #"""
                {"role":"user","content":[{"type":"image_url","image_url":\#
                {"url":"data:image/png;base64,a/b","detail":"low"}}]}
                """#,
                #"""
                {"role":"user","content":[{ "image_url": {"detail" : "low",\#
                "url":"data:image\/png;base64,a\/b"}, "type":"image_url"}]}
                """#
            ),
            (
                #"""
                {"role":"assistant","content":null,"tool_calls":[{"id":"c",\#
                "type":"function","function":{"name":"f","arguments":"{\"a\":\"ü\",\"b\":[1]}"}}]}
                """#,
                #"""
                {"role":"assistant","content":null,"tool_calls":[{"id":"c",\#
                "type":"function","function":{"name":"f","arguments":"{\"b\": [1], \"a\": \"\\u00fc\"}"}}]}
                """#
            ),
        ])
    func alike(_ one: String, _ other: String) throws {
        #expect(try bytes(one) == bytes(other))
    }

    @Test(
        "different messages differ",
        arguments: [
            (#"{"role":"user","content":"a"}"#, #"{"role":"assistant","content":"a"}"#),
            (#"{"role":"user","content":"a"}"#, #"{"role":"user","content":"a "}"#),
            (
                #"{"role":"user","content":"a"}"#,
                #"""
                {"role":"user","content":[{"type":"text","text":"a"},\#
                {"type":"image_url","image_url":{"url":"data:,x"}}]}
                """#
            ),
            (
                #"{"role":"assistant","content":"a"}"#,
                #"""
                {"role":"assistant","content":"a","tool_calls":[{"id":"c",\#
                "type":"function","function":{"name":"f","arguments":"{}"}}]}
                """#
            ),
            (
                #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,x"}}]}"#,
                #"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,y"}}]}"#
            ),
            (
                #"{"role":"user","content":[{"type":"file","file":{"a":["b"],"c":"d"}}]}"#,
                #"{"role":"user","content":[{"type":"file","file":{"a":["b","c","d"]}}]}"#
            ),
        ])
    func unlike(_ one: String, _ other: String) throws {
        #expect(try bytes(one) != bytes(other))
    }

    @Test("an answer of ours has the form that the client sends back")
    func answer() throws {
        var draft = ChatDraft()
        draft.append(Array(#"Gr\u00fc"#.utf8)[...])
        draft.append(Array("ezi ".utf8)[...])
        draft.append(
            ChoiceDelta(toolCalls: [
                ToolCallDelta(index: 0, id: "c", name: "f", arguments: Array(#"{\"a\":"#.utf8))
            ]))
        draft.append(
            ChoiceDelta(
                toolCalls: [ToolCallDelta(index: 0, arguments: Array("1}".utf8))],
                finishReason: .toolCalls))
        let back = try bytes(
            #"""
            {"role":"assistant","content":"Grüezi","tool_calls":[{"id":"c",\#
            "type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}
            """#
        )
        #expect(draft.canonical.bytes == back)
    }
}

extension CanonicalMessage {
    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        forEachPiece { piece in
            for index in piece.indices { bytes.append(piece[index]) }
        }
        return bytes
    }
}
