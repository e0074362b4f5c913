/// Events of streams as providers send them.
enum ChunkFixtures {
    /// (chunk, spelling of its content)
    static let ordinary: [(String, String)] = [
        (
            #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1726000000,"model":"m","#
                + #""choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null}]}"#,
            " hello"
        ),
        (
            #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt","service_tier":"default","#
                + #""system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"#
                + #""logprobs":null,"finish_reason":null}],"usage":null}"#, ""
        ),
        (
            #"{ "choices" : [ { "delta" : { "content" : "\"\\\/\b\f\n\r\tA\u00e9\u0000" } , "#
                + #""finish_reason" : null , "index" : 0 } ] , "created" : 1e9 , "service_tier" : null , "#
                + #""system_fingerprint" : null }"# + "\r\n", #"\"\\\/\b\f\n\r\tA\u00e9\u0000"#
        ),
        (#"{"choices":[{"index":0,"delta":{"content":"漢字 é 😀 \u4e2d"}}]}"#, #"漢字 é 😀 \u4e2d"#),
        (#"{"choices":[{"index":0,"delta":{"content":"x","role":"assistant"}}]}"#, "x"),
    ]

    /// Valid, but not to be taken by the scanner.
    static let unusual: [String] = [
        "{}", "[]", "null", "1", #""x""#, #"{"choices":[]}"#, #"{"choices":null}"#,
        #"{"choices":{}}"#,
        #"{"choices":[{"index":0,"delta":{}}]}"#, #"{"choices":[{"index":0}]}"#,
        #"{"choices":[{"delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":1,"delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":null}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":1}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":["x"]}}]}"#,
        #"{"choices":[{"index":0,"delta":"x"}]}"#,
        #"{"choices":[{"index":"0","delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":-0,"delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":0.0,"delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"},"stop_reason":null}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x","role":"user"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x","tool_calls":[]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x","reasoning_content":"y"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}},{"index":1,"delta":{"content":"y"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"total_tokens":1}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"error":{"message":"x"}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"event":{"type":"source"}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"id":1}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"created":"1"}"#,
        #"{"choices":[{"index":0,"delta":{"content":"x"}}],"service_tier":1}"#,
        #"{"choices":[{"index":0,"delta":{"content":"\ud83d\ude00"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}"#,
        #"{"id":"\ud83d\ude00","choices":[{"index":0,"delta":{"content":"x"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"\u0063ontent":"x"}}]}"#,
    ]

    static let all = ordinary.map(\.0) + unusual
}
