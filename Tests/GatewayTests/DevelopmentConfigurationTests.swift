import Foundation
import Testing

@testable import Gateway

@Suite("The configuration that dev writes")
struct DevelopmentConfigurationTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "archway-dev-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write("pepper", String(repeating: "p", count: 64))
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func configuration(adding text: String? = nil) throws -> Configuration {
        defer { try? FileManager.default.removeItem(at: folder) }
        if let text { try write("mine.yaml", text) }
        let file = DevelopmentConfiguration(
            socket: "/run/odd ${name} \"'/archway.sock", database: "host=@archway-1-2",
            spool: "/odd ${name}/spool")
        try file.write(to: path("archway.yaml"), adding: text.map { _ in path("mine.yaml") })
        return try Configuration(path: path("archway.yaml"))
    }

    @Test("It has the model of the documentation and an Ollama on this machine")
    func builtIn() throws {
        let configuration = try configuration()
        #expect(configuration.socket == "/run/odd ${name} \"'/archway.sock")
        #expect(configuration.spool == "/odd ${name}/spool")
        #expect(configuration.models.map(\.id) == ["docs"])
        #expect(configuration.models.first?.retrieval?.collections == ["docs"])
        #expect(configuration.providers["ollama"]?.baseURL == "http://localhost:11434")
        #expect(configuration.providers["ollama"]?.discoversModels == true)
        #expect(!configuration.isAnonymousAllowed)
    }

    @Test("An empty list in a person's file is one, and not the default")
    func emptyLists() throws {
        let configuration = try configuration(adding: "side_request_prefixes: []\n")
        #expect(configuration.sideRequestPrefixes == [])
        #expect(Configuration().sideRequestPrefixes != [])
    }

    @Test("A person's file adds to it, and wins where both name the same")
    func merged() throws {
        try write("key", "secret\n")
        let configuration = try configuration(
            adding: """
                socket: /run/other.sock
                keep_alive: 2.5
                anonymous: true
                providers:
                  ollama: { kind: ollama, base_url: "http://10.0.0.1:11434", num_ctx: 8192 }
                  vllm: { kind: openai, base_url: http://10.0.0.2/v1, api_key: "${file:key}" }
                models:
                  - id: assistant
                    candidates: [ { provider: vllm, model: "a: b # c" } ]
                    system_prompt: |
                      One line,
                      "another" with $${braces}.
                  - id: "true"
                    candidates: [ { provider: vllm, model: "12" } ]
                """)
        #expect(configuration.socket.hasPrefix("/run/odd"))
        #expect(configuration.database.exposed == "host=@archway-1-2")
        #expect(configuration.keepAlive == 2.5)
        #expect(configuration.isAnonymousAllowed)
        #expect(Set(configuration.providers.keys) == ["ollama", "vllm", "extractive"])
        #expect(configuration.providers["ollama"]?.contextLength == 8192)
        #expect(configuration.providers["vllm"]?.apiKey?.exposed == "secret")
        #expect(configuration.models.map(\.id) == ["docs", "assistant", "true"])
        let assistant = try #require(configuration.models.first { $0.id == "assistant" })
        #expect(assistant.candidates == [.init(provider: "vllm", model: "a: b # c")])
        #expect(assistant.systemPrompt == "One line,\n\"another\" with ${braces}.\n")
    }

    @Test("A mistake in a person's file is told with its place in that file")
    func mistaken() throws {
        #expect {
            try configuration(adding: "keep_alive: 5\nmodles: []\n")
        } throws: { error in
            let text = "\(error)"
            return text.contains("mine.yaml:2:1") && text.contains("modles")
        }
    }
}
