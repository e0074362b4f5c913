import Gateway
import Providers
import Testing

@Suite("Parameters of a model in the configuration")
struct ParametersConfigurationTests {
    private static func model(_ members: String) throws(ConfigurationError) -> Configuration.Model?
    {
        try peppered(
            """
            providers: { p: { kind: openai, base_url: http://h } }
            models:
              - id: m
                candidates: [ { provider: p, model: x } ]
            \(members.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
            """
        ).models.first
    }

    @Test("are read as JSON, numbers byte for byte")
    func values() throws {
        let model = try #require(
            try Self.model(
                """
                validate: true
                parameters:
                  default:
                    temperature: 0.20
                    seed: 1234567890123456789
                    top_p: 1e-1
                    words: [END, "1", 'true', 2024-01-01, 1.2.3]
                    chat_template_kwargs: { enable_thinking: false, budget: 1E3, deep: [ { a: null } ] }
                    port: ${env:PORT}
                    nested: { port: "${env:PORT}" }
                    "ü \\"": yes
                  rename: { max_tokens: max_completion_tokens, a: b, c: b }
                  drop: [user, stream_options]
                """))
        let defaults = model.parameters.defaults.map {
            "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))"
        }
        #expect(
            defaults == [
                "temperature=0.20", "seed=1234567890123456789", "top_p=1e-1",
                #"words=["END","1","true","2024-01-01","1.2.3"]"#,
                #"chat_template_kwargs={"enable_thinking":false,"budget":1E3,"deep":[{"a":null}]}"#,
                "port=8000", #"nested={"port":8000}"#, #"ü "="yes""#,
            ])
        #expect(model.parameters.rename.map(\.from) == ["max_tokens", "a", "c"])
        #expect(model.parameters.rename.map(\.to) == ["max_completion_tokens", "b", "b"])
        #expect(model.parameters.drop == ["user", "stream_options"])
        #expect(model.validates)
    }

    @Test("are none by default, and shown as they hold")
    func effective() throws {
        let plain = try #require(try Self.model(""))
        #expect(plain.parameters.defaults.isEmpty && plain.parameters.drop.isEmpty)
        #expect(plain.parameters.rename.isEmpty && !plain.validates)
        let read = try peppered(
            """
            providers: { p: { kind: openai, base_url: http://h } }
            models:
              - id: m
                candidates: [ { provider: p, model: x } ]
                parameters: { default: { temperature: 0.20, stop: [a] }, rename: { a: b }, drop: [c] }
            """)
        for line in [
            #"models[0].parameters.default: { temperature: 0.20, stop: ["a"] }"#,
            "models[0].parameters.rename: { a: b }", "models[0].parameters.drop: [c]",
            "models[0].validate: false",
        ] {
            #expect(read.masked.contains(line + "\n"), "\(read.masked)")
        }
    }

    @Test(
        "that cannot be are told with line and column",
        arguments: [
            (
                "drop: [user, model]",
                "6:25: models[0].parameters.drop names \"model\", which every request needs"
            ),
            (
                "drop: [messages]",
                "6:25: models[0].parameters.drop names \"messages\", which every request needs"
            ),
            (
                "drop: [stream]",
                "6:25: models[0].parameters.drop names \"stream\", which every request needs"
            ),
            ("drop: user", "6:25: models[0].parameters.drop must be a list of parameter names"),
            (
                "drop: [a], default: { a: 1 }",
                "6:25: models[0].parameters.drop names \"a\", which is given a default"
            ),
            (
                "drop: [a], rename: { a: b }",
                "6:25: models[0].parameters.drop names \"a\", which is renamed"
            ),
            (
                "rename: { messages: a }",
                "6:39: models[0].parameters.rename.messages is what every request needs"
            ),
            (
                "rename: { stream: a }",
                "6:37: models[0].parameters.rename.stream is what every request needs"
            ),
            ("rename: { a: model }", "6:32: models[0].parameters.rename.a cannot become \"model\""),
            (
                "rename: { a: b, b: c }",
                "6:32: models[0].parameters.rename.a becomes \"b\", which is renamed itself"
            ),
            (
                "rename: { a: a }",
                "6:32: models[0].parameters.rename.a becomes \"a\", which is renamed itself"
            ),
            (
                "rename: [a]",
                "6:27: models[0].parameters.rename must be a mapping of names to names"
            ),
            (
                "rename: { a: [b] }",
                "6:27: models[0].parameters.rename must be a mapping of names to names"
            ),
            (
                "default: [a]",
                "6:28: models[0].parameters.default must be a mapping of parameters to values as JSON "
                    + "spells them"
            ),
            (
                "default: { stream: true }",
                "6:38: models[0].parameters.default.stream is not for a default"
            ),
            (
                "default: { store: true }",
                "6:37: models[0].parameters.default.store is not for a default"
            ),
            (
                "default: { a: { b: [0x1F] } }",
                "6:39: models[0].parameters.default holds a number that JSON cannot spell; quote it if it is a "
                    + "text"
            ),
            (
                "default: { a: 1, temperature: 3 }",
                "6:49: models[0].parameters.default.temperature is refused: Invalid value for 'temperature': it "
                    + "must be between 0.0 and 2.0."
            ),
            (
                "default: { tools: [ { type: function } ] }",
                "6:37: models[0].parameters.default.tools is refused: Missing required parameter: "
                    + "'tools[0].function'."
            ),
            (
                "defaults: {}",
                "6:19: unknown key \"models[0].parameters.defaults\"; did you mean \"default\"?"
            ),
        ])
    func faults(parameters: String, problem: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Self.model("parameters: { \(parameters) }")
        }
        #expect(error?.problems.map(\.description) == [problem])
    }

    @Test(
        "are numbers as JSON spells them, or are refused",
        arguments: [".5", "+1", "007", "1.", "0o17", "-.inf", ".NaN", "1e"])
    func numbers(spelling: String) throws {
        if spelling == "1e" {
            let value = try Self.model("parameters: { default: { a: 1e } }")?.parameters.defaults
                .first?.value
            #expect(value == Array("\"1e\"".utf8))
            return
        }
        #expect(throws: ConfigurationError.self) {
            try Self.model("parameters: { default: { a: \(spelling) } }")
        }
        let quoted = try Self.model("parameters: { default: { a: '\(spelling)' } }")
        #expect(quoted?.parameters.defaults.first?.value == Array("\"\(spelling)\"".utf8))
    }

    @Test("validation is not for a model that only quotes")
    func extractive() {
        let error = #expect(throws: ConfigurationError.self) {
            try peppered(
                """
                models:
                  - id: m
                    candidates: [ { provider: extractive } ]
                    retrieval: { collections: [c] }
                    validate: true
                """)
        }
        #expect(
            error?.problems.map(\.description) == [
                "6:15: models[0].validate is not for extractive candidates, which only quote"
            ])
    }
}
