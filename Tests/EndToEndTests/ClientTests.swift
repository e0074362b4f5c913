import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Other people's clients") @LoopActor struct Clients {
        @Test(
            "A client works unchanged, in all that Docs/compatibility.md says of it",
            arguments: try CompatibilityPage().sections)
        func works(section: CompatibilityPage.Section) async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reader = try await site.makeUser(role: "reader")
            let python = try await PythonClients.python()
            // Nothing of this machine's settings: no proxy, no key, no configuration of somebody's.
            let words = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "HOME=\(site.folder)"]
            let outcome = try await Program.run(
                words + ["LANG=C.UTF-8", python, "-B", PythonClients.folder + "/" + section.script]
                    + [site.url() + "/v1", user.token, reader.token, site.provider.url],
                seconds: 120)
            let results = outcome.output.split(separator: "\n").map { Tree($0) }
            let checks = results.map { $0["check"].string ?? "a check without a sentence" }
            for (check, result) in zip(checks, results) {
                guard let problem = result["problem"].string else { continue }
                Issue.record("\(section.script): \(check)\n\(problem)")
            }
            #expect(checks == section.checks, "\(outcome.errors.suffix(4000))")
            #expect(outcome.code == 0)
        }

        @Test(
            "Docs/compatibility.md names each script of checks, and the versions that are installed"
        )
        func page() throws {
            let page = try CompatibilityPage()
            let names = try FileManager.default.contentsOfDirectory(atPath: PythonClients.folder)
            let scripts = names.filter { $0.hasSuffix(".py") && $0 != "checking.py" }
            #expect(Set(page.sections.map(\.script)) == Set(scripts))
            let pinned = try PythonClients.pinned()
            #expect(pinned.count > 10)
            for section in page.sections where section.script != "curl_client.py" {
                let version = try #require(pinned[section.package], "\(section)")
                #expect(section.version == version, "\(section.package)")
            }
            let front = try PythonClients.pinned(
                Deployment.root + "/Tests/OpenWebUI/requirements.txt")
            let manual = try String(
                contentsOfFile: Deployment.root + "/Docs/openwebui.md", encoding: .utf8)
            let version = try #require(front["open-webui"])
            #expect(manual.contains("drives Open WebUI \(version) in a browser"))
        }
    }
}

/// What Docs/compatibility.md says.
struct CompatibilityPage: Sendable {
    /// A client's section: `## … (package version, script)` and a list of checks.
    struct Section: Sendable, CustomTestStringConvertible {
        var package: String
        var version: String
        var script: String
        var checks: [String] = []

        var testDescription: String { script }
    }

    private(set) var sections: [Section] = []

    init() throws {
        let text = try String(
            contentsOfFile: Deployment.root + "/Docs/compatibility.md", encoding: .utf8)
        let heading = /## .* \(`(.+)` (.+), `(.+\.py)`\)/
        for line in text.split(separator: "\n") {
            if let found = line.wholeMatch(of: heading)?.output {
                sections.append(
                    Section(
                        package: String(found.1), version: String(found.2),
                        script: String(found.3)))
            } else if line.hasPrefix("- "), !sections.isEmpty {
                sections[sections.count - 1].checks.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("  "), let last = sections.last?.checks.last {
                let rest = line.trimmingCharacters(in: .whitespaces)
                sections[sections.count - 1].checks.removeLast()
                sections[sections.count - 1].checks.append("\(last) \(rest)")
            }
        }
    }
}

/// The Python that has the clients.
@LoopActor enum PythonClients {
    nonisolated static let folder = Deployment.root + "/Tests/EndToEndTests/clients"
    private nonisolated static let requirements = folder + "/requirements.txt"

    /// The versions of all packages, by name.
    nonisolated static func pinned(_ requirements: String = requirements) throws -> [String: String]
    {
        let text = try String(contentsOfFile: requirements, encoding: .utf8)
        let pairs = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            $0.components(separatedBy: "==")
        }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0.last ?? "") })
    }

    private static let installed = Once { try await install() }

    /// Installs the clients from the package index if what is pinned, or Python, has changed since they were installed.
    static func python() async throws -> String { try await installed.value }

    private static func install() async throws -> String {
        let home = Deployment.root + "/.build/clients"
        let (python, stamp) = (home + "/bin/python", home + "/installed")
        let wanted =
            try await Program.output(["python3", "--version"]) + "\n"
            + String(contentsOfFile: requirements, encoding: .utf8)
        if (try? String(contentsOfFile: stamp, encoding: .utf8)) == wanted { return python }
        try await Program.output(["python3", "-m", "venv", "--clear", home], seconds: 60)
        // Every package is pinned: there is nothing for pip to resolve.
        try await Program.output(
            [python, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
                + ["-r", requirements],
            seconds: 600)
        try Data(wanted.utf8).write(to: URL(filePath: stamp))
        return python
    }
}
