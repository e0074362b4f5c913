import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The official Python SDK") @LoopActor struct SDK {
        nonisolated static let checks = [
            "lists_models", "answers", "shows_its_fields", "streams", "streams_usage",
            "survives_silence", "calls_tools", "streams_tools", "parses_structure", "completes",
            "embeds",
            "refuses_a_wrong_key", "refuses_what_a_role_lacks", "knows_no_such_model",
            "names_a_bad_parameter", "tells_a_limit", "tells_a_providers_fault", "tells_a_size",
            "raises_in_the_middle", "times_out", "retries", "keeps_completions", "keeps_streams",
            "works_asynchronously",
        ]

        @Test("It works unchanged", arguments: checks)
        func works(check: String) async throws {
            let results = try await Self.results()
            #expect(Set(results.keys) == Set(Self.checks))
            let problem = try #require(results[check])
            #expect(problem.isEmpty, "\(problem)")
        }

        private static var running: Task<[String: String], any Error>?

        /// What went wrong in each check; nothing where all went well.
        private static func results() async throws -> [String: String] {
            if let running { return try await running.value }
            let task = Task { @LoopActor in try await run() }
            running = task
            return try await task.value
        }

        private static func run() async throws -> [String: String] {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let reader = try await site.makeUser(role: "reader")
            let output = try await Program.output(
                [try await python(), folder + "/check.py", site.url() + "/v1", user.token]
                    + [reader.token],
                seconds: 120)
            var problems: [String: String] = [:]
            for line in output.split(separator: "\n") {
                let result = Tree(line)
                problems[result["name"].string ?? ""] = result["problem"].string ?? ""
            }
            return problems
        }

        private nonisolated static let folder = Deployment.root + "/Tests/EndToEndTests/openai-sdk"

        /// The Python that has the SDK, installed from PyPI when the pinned version changes.
        private static func python() async throws -> String {
            let pinned = folder + "/requirements.txt"
            let home = Deployment.root + "/.build/openai-sdk"
            let (python, installed) = (home + "/bin/python", home + "/requirements.txt")
            if FileManager.default.contentsEqual(atPath: pinned, andPath: installed) {
                return python
            }
            try await Program.output(["python3", "-m", "venv", "--clear", home], seconds: 60)
            try await Program.output(
                [
                    python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r",
                    pinned,
                ],
                seconds: 300)
            try FileManager.default.copyItem(atPath: pinned, toPath: installed)
            return python
        }
    }
}
