import JSON
import OpenAI
import Providers
import Testing

@Suite("What a model's configuration changes in a request") struct AdjustmentsTests {
    private struct Change: Sendable {
        var defaults: [(String, String)] = []
        var rename: [(String, String)] = []
        var drop: [String] = []

        var adjustments: Adjustments {
            var adjustments = Adjustments()
            adjustments.defaults = defaults.map { ($0.0, Array($0.1.utf8)) }
            adjustments.rename = rename.map { ($0.0, $0.1) }
            adjustments.drop = drop
            return adjustments
        }
    }

    private static let start = #"{"model":"a","messages":[{"role":"user","content":""}]"#

    private static func call(_ members: String, _ change: Change, isStream: Bool = false) throws
        -> ChatCall
    {
        var call = ChatCall(
            try request(start + members + "}"), model: "llama", isStream: isStream)
        call.adjustments = change.adjustments
        return call
    }

    /// The members that the provider sees, beside those that are always there.
    private static func seen(_ members: String, _ change: Change) throws -> [String] {
        let body = try openAI.chat(call(members, change)).body
        return try Document(body).root.members
            .filter { !["model", "messages", "stream"].contains($0.key) }
            .map { "\($0.key)=\(text($0.value.bytes))" }
    }

    private static let limit = Change(
        defaults: [("max_tokens", "9")], rename: [("max_tokens", "max_completion_tokens")])

    @Test("fills in what the caller did not set, null included, as it is written")
    func defaults() throws {
        let change = Change(defaults: [("top_p", "0.90"), ("stop", #"["a"]"#)])
        #expect(try Self.seen("", change) == ["top_p=0.90", #"stop=["a"]"#])
        #expect(
            try Self.seen(#","top_p":null,"stop":"b""#, change) == ["top_p=0.90", #"stop="b""#])
        #expect(try Self.seen(#","top_p":1.0"#, change) == ["top_p=1.0", #"stop=["a"]"#])
    }

    @Test("renames what is there, also by default; of two names the provider's own counts")
    func renames() throws {
        #expect(try Self.seen("", Self.limit) == ["max_completion_tokens=9"])
        #expect(try Self.seen(#","max_tokens":5e0"#, Self.limit) == ["max_completion_tokens=5e0"])
        #expect(
            try Self.seen(#","max_tokens":5,"max_completion_tokens":7"#, Self.limit)
                == ["max_completion_tokens=7"])
        #expect(
            try Self.seen(#","max_tokens":5,"max_completion_tokens":null"#, Self.limit)
                == ["max_completion_tokens=5"])
        #expect(
            try Self.seen(#","max_tokens":null"#, Change(rename: [("max_tokens", "limit")])) == [])
        let both = Change(rename: [("max_tokens", "limit"), ("max_completion_tokens", "limit")])
        #expect(try Self.seen(#","max_completion_tokens":7"#, both) == ["limit=7"])
        #expect(try Self.seen(#","max_tokens":5,"max_completion_tokens":7"#, both) == ["limit=5"])
    }

    @Test(
        "takes the caller's value under an old name for set: the default of the new one gives way")
    func oldName() throws {
        let change = Change(
            defaults: [("max_completion_tokens", "9")],
            rename: [("max_tokens", "max_completion_tokens")])
        #expect(try Self.seen(#","max_tokens":5"#, change) == ["max_completion_tokens=5"])
        #expect(try Self.seen("", change) == ["max_completion_tokens=9"])
    }

    @Test("drops last, by the provider's names, also what we add ourselves")
    func drops() throws {
        let change = Change(rename: [("user", "end_user")], drop: ["end_user", "seed"])
        #expect(try Self.seen(#","user":"u","seed":1,"top_k":1"#, change) == ["top_k=1"])
        let call = try Self.call(
            #","stream":true"#, Change(drop: ["stream_options"]), isStream: true)
        #expect(!text(try openAI.chat(call).body).contains("stream_options"))
    }

    @Test("holds for a wire that is translated too")
    func translated() throws {
        var change = Self.limit
        change.defaults.append(("temperature", "0.20"))
        change.drop = ["seed"]
        let body = try Document(ollama.chat(Self.call(#","max_tokens":5,"seed":1"#, change)).body)
        let options = try #require(body.root["options"])
        #expect(options["num_predict"]?.integer == 5)
        #expect(options["temperature"].map { text($0.bytes) } == "0.20")
        #expect(options["seed"] == nil)
        // A default that is dropped under its new name.
        let renamed = Change(
            defaults: [("temperature", "1")], rename: [("temperature", "top_k")], drop: ["top_k"])
        let other = try Document(ollama.chat(Self.call("", renamed)).body).root["options"]
        #expect(other?["top_k"] == nil && other?["temperature"] == nil)
    }

    @Test("says how many choices and which limit hold in the end")
    func facts() throws {
        let plain = try request(Self.start + "}")
        let asked = try request(Self.start + #","n":2,"max_tokens":5}"#)
        let change = Change(defaults: [("n", "3"), ("max_completion_tokens", "9")]).adjustments
        #expect(change.choices(in: plain) == 3 && change.choices(in: asked) == 2)
        #expect(change.maximumTokens(in: plain) == 9 && change.maximumTokens(in: asked) == 5)
        #expect(Change(drop: ["n"]).adjustments.choices(in: asked) == 1)
        #expect(Adjustments().maximumTokens(in: plain) == nil)
    }

    @Test("tools of the configuration and of the talk so far count as offered")
    func offered() throws {
        var call = ChatCall(
            try request(
                #"""
                {"model":"m","messages":[{"role":"user","content":""},{"role":"assistant","content":"",
                "tool_calls":[{"id":"a","type":"function","function":{"name":"old","arguments":"{}"}}]}]}
                """#), model: "m", isStream: true)
        call.adjustments.defaults = [
            ("tools", Array(#"[{"type":"function","function":{"name":"own"}}]"#.utf8))
        ]
        #expect(Question(call, completionID: "c").toolNames == ["old", "own"])
        call.request = try request(
            #"""
            {"model":"m","messages":[{"role":"user","content":""}],
            "tools":[{"type":"function","function":{"name":"theirs"}}]}
            """#)
        #expect(Question(call, completionID: "c").toolNames == ["theirs"])
    }
}
