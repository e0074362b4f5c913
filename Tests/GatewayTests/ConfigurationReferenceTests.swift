import Foundation
import Gateway
import Testing

/// The table of keys, the defaults in the code, the manual and the sample say the same.
@Suite("Reference of the configuration")
struct ConfigurationReferenceTests {
    private static let docs = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Docs")

    private static func file(_ name: String) throws -> String {
        try String(contentsOf: docs.appending(path: name), encoding: .utf8)
    }

    private static var keys: [ConfigurationKey] { Configuration.topics.flatMap(\.keys) }

    /// The part of the manual that is made from the table.
    private static var reference: String {
        Configuration.topics.map { topic in
            "## \(topic.title)\n\n" + topic.keys.map(entry).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func entry(_ key: ConfigurationKey) -> String {
        let unit = key.unit.map { "Value: \($0).\\\n" } ?? ""
        let fallback = key.fallback.map { ["none", "the id"].contains($0) ? $0 : "`\($0)`" }
        return """
            ### `\(key.path)`

            \(key.meaning)

            \(unit)Default: \(fallback ?? "none; it must be there").

            """
    }

    @Test("the manual has each key with its meaning, unit and default, and no other")
    func manual() throws {
        let manual = try Self.file("configuration.md")
        let marker =
            "<!-- From here on: the table of keys in Sources/Gateway/Configuration. -->\n\n"
        let parts = manual.components(separatedBy: marker)
        #expect(parts.count == 2)
        let given = parts.last?.components(separatedBy: "\n") ?? []
        let expected = Self.reference.components(separatedBy: "\n")
        for (line, (one, other)) in zip(given, expected).enumerated() where one != other {
            Issue.record("line \(line) of the reference is \"\(one)\", expected is \"\(other)\"")
            break
        }
        #expect(given.count == expected.count)
    }

    @Test("the sample has each key, at its default where there is one")
    func sample() throws {
        let text = try Self.file("archway.yaml")
        let sample = try configuration(text)
        for key in Self.keys {
            let name =
                key.path.split(separator: ".").last.map { $0.replacing("[]", with: "") } ?? ""
            #expect(text.contains("\(name):"), "\(key.path)")
        }
        try expectDefaults(sample, except: ["models[].candidates[].model"])
        #expect(sample.models.count == 2 && sample.providers.count == 3)
    }

    @Test("each key is read, and its default is what the table says")
    func defaults() throws {
        let least = try peppered(
            """
            roles: { guest: { actions: [] } }
            providers:
              remote: { kind: openai, base_url: http://h }
              local: { kind: ollama, base_url: http://h }
            models: [ { id: m, candidates: [ { provider: extractive } ], retrieval: { collections: [c] } } ]
            """)
        try expectDefaults(least)
        #expect(Set(least.effective.map(\.key)) == Set(Self.keys.map(\.path)))
    }

    private func expectDefaults(_ read: Configuration, except: Set<String> = []) throws {
        for (path, _, text) in read.effective where !except.contains(path) {
            let key = try #require(
                Self.keys.first { $0.path == path }, "\(path) is not in the table")
            guard let fallback = key.fallback, fallback != "the id" else { continue }
            #expect(text == fallback, "\(path)")
        }
        for model in read.models { #expect(model.name == model.id) }
    }
}
