import EventLoop

/// A behaviour's script for one request.
typealias Behaviour = @Sendable (Prompt) -> [Step]

/// The model names and what they do. Numbers behind a name (`flat-1000`) are its parameters.
let behaviours: [(name: String, behaviour: Behaviour)] = [
    // Good answers.
    ("echo", { words($0.question) + ending }),
    ("echo-json", { [.text(String(decoding: $0.body, as: UTF8.self))] + ending }),
    ("echo-paced", { [words($0.question, every: $0.number(0, or: 20))] + ending }),
    ("paced", { [stamps($0.number(0, or: 50), every: $0.number(1, or: 50))] + ending }),
    ("flat", { [stamps($0.number(0, or: 1000), every: 0)] + ending }),
    ("bulk", { [bulk($0.number(0, or: 1000))] + ending }),
    ("drafts", { [.pause($0.number(0, or: 0))] + words($0.draft) + ending }),
    ("usage", { _ in words("counted words") + [.finish("stop"), .usage, .done, .end] }),
    ("reasoning", { _ in [.reasoning("Let me "), .reasoning("think.")] + words("42") + ending }),
    ("refusal", { _ in [.refusal("I will "), .refusal("not.")] + ending }),
    ("length", { _ in words("cut by the token limit") + stopping("length") }),
    ("content-filter", { _ in words("filtered") + stopping("content_filter") }),
    ("tools", { _ in singleTool + stopping("tool_calls") }),
    ("parallel-tools", { _ in parallelTools + stopping("tool_calls") }),
    ("recite", { [recital(every: $0.number(0, or: 50))] + ending }),
    ("front-end-tasks", { _ in [.text(taskAnswer)] + ending }),
    ("agent", { agent($0) }),
    ("choices", { choices($0) }),
    ("fingerprint", { _ in fingerprint + words("ok") + ending }),
    ("unicode", { _ in words("Grüße aus Köln 🙂 \u{0}\u{2028} \"\\\" </script>") + ending }),
    ("drip", { _ in [.drip(event(content: "slow 🙂"))] + ending }),
    ("crlf", { _ in [.raw("\u{FEFF}" + line(content: "crlf") + "\r\n\r\n")] + ending }),
    ("comments", { [.raw(repeating(": nothing\n\n", $0.number(0, or: 1000)))] + ending }),
    ("huge", { [.text(repeating("x", $0.number(0, or: 1 << 20)))] + ending }),
    ("finish-without-done", { _ in words("finished") + [.finish("stop"), .end] }),
    ("two-done", { _ in words("twice") + [.finish("stop"), .done, .done, .end] }),
    ("after-done", { _ in words("ok") + [.finish("stop"), .done] + words("late") + [.end] }),

    // Time.
    ("slow-first", { [.pause($0.number(0, or: 1000))] + words("at last") + ending }),
    ("slow-end", { words("ok") + [.pause($0.number(0, or: 1000))] + ending }),
    ("hang", { _ in [.hang] }),
    ("hang-after", { [stamps($0.number(0, or: 3), every: 0), .hang] }),

    // Broken transport.
    ("reset-before-headers", { _ in [.reset] }),
    ("reset-after", { [stamps($0.number(0, or: 3), every: 0), .pause(50), .reset] }),
    ("close-before-headers", { _ in [.cut] }),
    ("cut-after", { [stamps($0.number(0, or: 3), every: 0), .cut] }),
    ("cut-after-finish", { _ in words("whole") + [.finish("stop"), .cut] }),
    ("flaky", { $0.earlier < $0.number(0, or: 1) ? failure(500) : words("well") + ending }),
    ("flaky-reset", { $0.earlier < $0.number(0, or: 1) ? [.reset] : words("well") + ending }),

    ("fingerprint-cut", { _ in fingerprint + words("half") + [.usage, .pause(50), .cut] }),
    ("relapse", { $0.earlier < $0.number(0, or: 1) ? failure(500) : late($0.number(1, or: 0)) }),
    ("relapse-hang", { $0.earlier < $0.number(0, or: 1) ? failure(500) : [.hang] }),

    // Replies that are no answer.
    ("busy", { waiting(429, $0) }),
    ("overload", { waiting(503, $0) }),
    ("status-400-filter", { _ in filtered }),
    ("status-400-prefill", { _ in noPrefill }),
    ("status", { failure($0.number(0, or: 500)) }),
    ("status-echo", { echoingFailure($0.number(0, or: 400), $0.question) }),
    ("status-400-context", { _ in contextTooLong }),
    ("html-200", { _ in [.reply(status: 200, fields: html, body: "<html>Welcome</html>")] }),
    ("redirect", { _ in [.reply(status: 302, fields: [("Location", "/elsewhere")], body: "")] }),
    ("gzip", { _ in [.reply(status: 200, fields: gzip, body: "\u{1F}\u{8B}")] }),
    ("canary", { _ in canary }),

    // Streams that lie.
    ("empty", { _ in [.end] }),
    ("no-done", { _ in words("never finished") + [.end] }),
    ("done-without-finish", { _ in words("never finished") + [.done, .end] }),
    ("malformed-event", { _ in words("good") + [.raw("data: {\"choices\":[{\n\n")] + ending }),
    ("malformed-first", { _ in [.raw("data: {\"choices\":[{\n\n")] + ending }),
    ("malformed-late", { _ in words("good") + [.pause(50), .raw("data: {\n\n")] + ending }),
    ("error-event", { _ in words("good") + [.raw(errorEvent), .end] }),
    ("invalid-utf8", { _ in [.raw(invalidText)] + ending }),
    ("long-line", { [.raw("data: " + repeating("x", $0.number(0, or: 2 << 20)))] + ending }),
    ("hostile", { _ in hostile + ending }),
    ("bytes", { bytes($0) }),
    ("commenting", { _ in (0..<80).flatMap { _ in [.pause(100), .raw(": please wait\n\n")] } }),
    ("elsewhere", { elsewhere($0.question) }),

    // Embeddings, whatever the input.
    ("vector-lone", { _ in [.raw(vectors("[0.50,1e-1]"))] }),
    ("vector-words", { _ in [.raw(vectors(#"["canary-body"]"#))] }),
]

/// The script for a model: the behaviour with the longest name that the model's name starts with.
func script(for prompt: Prompt) -> [Step]? {
    let found = behaviours.filter {
        prompt.model == $0.name || prompt.model.hasPrefix($0.name + "-")
    }
    return found.max { $0.name.count < $1.name.count }?.behaviour(prompt)
}
