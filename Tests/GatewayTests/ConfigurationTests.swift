import Gateway
import HTTPClient
import Testing

/// What configurations of the tests refer to.
func testReferences() -> References {
    References(
        environment: { ["PORT": "8000", "FLAG": "true", "TEXT": "a: \"b\" ${env:PORT}"][$0] },
        file: { path in
            switch path {
            case "/etc/archway/pepper": Array("0123456789abcdef0123456789abcdef\n".utf8)
            case "latin": [0xE9]
            default: throw Missing()
            }
        })
}

private struct Missing: Error, CustomStringConvertible {
    var description: String { "no such file" }
}

func configuration(
    _ text: String, base: Configuration = Configuration()
) throws(ConfigurationError) -> Configuration {
    try Configuration(text, file: "archway.yaml", references: testReferences(), base: base)
}

/// A pepper, and whatever else.
func peppered(_ text: String) throws(ConfigurationError) -> Configuration {
    try configuration("pepper: ${file:/etc/archway/pepper}\n" + text)
}

@Suite("Configuration")
struct ConfigurationTests {
    @Test("reads a whole file into types")
    func wholeFile() throws {
        let read = try peppered(
            """
            socket: /tmp/a.sock
            workers: 3
            database: "host=/var/run/postgresql dbname=archway"
            body_limit: 512KiB
            anonymous: true
            default_role: guest
            roles: { guest: { actions: [chat, models], models: [assistant] }, user: { actions: [chat] } }
            providers:
              vllm:
                kind: openai
                base_url: http://vllm.internal:${env:PORT}/v1/
                api_key: "${file:/etc/archway/pepper}"
                deadlines: { connect: 0.5, first_byte: 90 }
              ollama: { kind: ollama, base_url: "HTTP://127.0.0.1:11434", num_ctx: 8192, discover: false }
            models:
              - id: assistant
                candidates: [ { provider: vllm, model: llama }, { provider: ollama, model: llama3.1 } ]
                system_prompt: "You answer."
                retrieval: { collections: [handbook], passages: 3, dialect: markdown }
                on_disconnect: finish
                task_model: small
                allowed_roles: [guest, admin]
              - { id: small, name: Small one, candidates: [ { provider: ollama, model: tiny } ] }
              - { id: handbook, candidates: [ { provider: extractive } ], retrieval: { collections: [a] } }
            """)
        #expect(read.socket == "/tmp/a.sock" && read.workers == 3 && read.bodyLimit == 512 << 10)
        #expect(read.pepper.exposed.count == 32 && read.isAnonymousAllowed)
        #expect(
            read.roles["guest"]
                == .init(actions: [.chat, .models], models: .only(["assistant"])))
        #expect(read.roles["user"]?.actions == [.chat] && read.roles["admin"]?.actions.count == 7)
        let vllm = try #require(read.providers["vllm"])
        #expect(vllm.kind == .openai && vllm.baseURL == "http://vllm.internal:8000/v1")
        #expect(vllm.apiKey?.exposed == "0123456789abcdef0123456789abcdef" && !vllm.discoversModels)
        #expect(vllm.deadlines.connect == 0.5 && vllm.deadlines.firstByte == 90)
        #expect(vllm.deadlines.total == 1800)
        #expect(read.providers["ollama"]?.contextLength == 8192)
        #expect(read.providers["ollama"]?.discoversModels == false)
        #expect(read.models.map(\.id) == ["assistant", "small", "handbook"])
        #expect(read.models.map(\.name) == ["assistant", "Small one", "handbook"])
        let assistant = try #require(read.models.first)
        #expect(assistant.candidates.map(\.model) == ["llama", "llama3.1"])
        #expect(assistant.retrieval?.passages == 3 && assistant.retrieval?.dialect == .markdown)
        #expect(assistant.onDisconnect == .finish && assistant.taskModel == "small")
        #expect(
            assistant.allowedRoles.contains("guest") && !assistant.allowedRoles.contains("user"))
        #expect(read.models.last?.candidates == [.init(provider: "extractive")])
    }

    @Test("adds to another one: its providers and models stay, the file's win by name")
    func base() throws {
        let base = try peppered(
            """
            workers: 2
            providers: { local: { kind: ollama, base_url: http://127.0.0.1:1 } }
            models:
              - { id: one, candidates: [ { provider: local, model: a } ] }
              - { id: two, candidates: [ { provider: local, model: b } ] }
            """)
        let more = try configuration(
            """
            providers: { other: { kind: openai, base_url: https://example.org } }
            models:
              - { id: two, candidates: [ { provider: other, model: c }, { provider: local, model: b } ] }
            """, base: base)
        #expect(more.workers == 2 && more.pepper == base.pepper)
        #expect(more.providers.keys.sorted() == ["extractive", "local", "other"])
        #expect(more.models.map(\.id) == ["one", "two"] && more.models[1].candidates.count == 2)
    }

    @Test("replaces references within a text, once, and not in what they bring")
    func references() throws {
        let read = try peppered(
            """
            anonymous: ${env:FLAG}
            statement_timeout: ${env:PORT}0e-4
            side_request_prefixes: ["<${env:TEXT}>", "$${env:PORT} $5 {}"]
            """)
        #expect(read.isAnonymousAllowed && read.statementTimeout == 8)
        #expect(read.sideRequestPrefixes == ["<a: \"b\" ${env:PORT}>", "${env:PORT} $5 {}"])
    }

    @Test("never shows a secret")
    func secrets() throws {
        let read = try peppered(
            """
            database: "host=db password=0123456789abcdef"
            providers: { p: { kind: openai, base_url: http://h, api_key: 0123456789abcdef } }
            """)
        var dumped = ""
        dump(read, to: &dumped)
        for text in [read.masked, "\(read)", String(reflecting: read), dumped] {
            #expect(!text.contains("0123456789abcdef"))
        }
        #expect(read.masked.contains("providers.p.api_key: ***\n"))
        #expect(read.masked.contains("pepper: ***\ndatabase_pool: 4\n") == false)
        #expect(read.masked.contains("database: ***\n") && read.masked.contains("workers: auto\n"))
        let error = #expect(throws: ConfigurationError.self) {
            try configuration("pepper: short-secret\n")
        }
        #expect(error?.description.contains("short-secret") == false)
    }
}
