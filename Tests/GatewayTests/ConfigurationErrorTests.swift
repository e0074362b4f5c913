import Gateway
import Testing

@Suite("Faults of a configuration")
struct ConfigurationErrorTests {
    @Test(
        "are told with line, column and what to do",
        arguments: [
            ("wokers: 2", "2:1: unknown key \"wokers\"; did you mean \"workers\"?"),
            ("secret_sauce: 2", "2:1: unknown key \"secret_sauce\""),
            ("workers: many", "2:10: workers must be an integer from 1 to 1024, or auto"),
            ("workers: 0", "2:10: workers must be an integer from 1 to 1024, or auto"),
            ("workers: '2'", "2:10: workers must be an integer from 1 to 1024, or auto"),
            ("anonymous: yes", "2:12: anonymous must be true or false"),
            ("socket: run/a.sock", "2:9: socket must be an absolute path of at most 107 bytes"),
            ("keep_alive: 0", "2:13: keep_alive must be seconds from 1 to 300"),
            ("keep_alive: [1]", "2:13: keep_alive must be seconds from 1 to 300"),
            (
                "body_limit: 2 GB",
                "2:13: body_limit must be a number of bytes up to 1024 MiB, such as 512 KiB or 64 MiB"
            ),
            (
                "body_limit: 99999999999999999999 MiB",
                "2:13: body_limit must be a number of bytes up to 1024 MiB, such as 512 KiB or 64 MiB"
            ),
            ("task_headers: X-Task", "2:15: task_headers must be a list of header names"),
            ("task_headers: ['X Task']", "2:15: task_headers must be a list of header names"),
            ("providers: [a]", "2:12: providers must be a mapping of keys to values"),
            ("models: {a: 1}", "2:9: models must be a list"),
            ("models: [a]", "2:10: models[0] must be a mapping of keys to values"),
            ("database: ${env:NOPE}", "2:11: the environment has no NOPE"),
            ("database: ${file:nope}", "2:11: cannot read nope: no such file"),
            ("database: ${file:latin}", "2:11: latin is not UTF-8"),
            (
                "database: ${HOME}",
                "2:11: only ${env:NAME} and ${file:PATH} are known; "
                    + "write \"$${\" for the characters themselves"
            ),
            (
                "database: a${env:PORT",
                "2:11: \"${\" without \"}\"; write \"$${\" for the characters themselves"
            ),
            (
                "default_role: usr",
                "2:15: default_role names a role that does not exist; did you mean \"user\"?"
            ),
            (
                "roles: {x: {actions: [fly]}}",
                "2:22: roles.x.actions must be a list of chat, responses, embeddings, models, tokens, "
                    + "knowledge, admin"
            ),
            ("roles: {x: {models: [a]}}", "2:12: roles.x.actions is missing"),
            (
                "roles: {admin: {actions: []}}",
                "2:16: the role admin is built in and stays as it is"
            ),
            ("a: [", "3:1: did not find expected node content"),
            ("pepper: again", "2:1: duplicate key"),
        ])
    func topLevel(text: String, problem: String) {
        #expect(problems { try peppered(text) }.prefix(1) == [problem])
    }

    @Test(
        "of providers and models are told likewise",
        arguments: [
            ("p: { base_url: http://h }", "", "3:6: providers.p.kind is missing"),
            ("p: { kind: openai }", "", "3:6: providers.p.base_url is missing"),
            (
                "p: { kind: opnai, base_url: http://h }", "",
                "3:14: providers.p.kind must be openai, ollama or extractive"
            ),
            (
                "p: { kind: openai, base_url: http://h, deadlines: { conect: 1 } }", "",
                "3:55: unknown key \"providers.p.deadlines.conect\"; did you mean \"connect\"?"
            ),
            (
                "p: { kind: openai, base_url: http://h, num_ctx: 512 }", "",
                "3:51: providers.p.num_ctx is for the kind ollama only"
            ),
            (
                "p: { kind: extractive, api_key: x }", "",
                "3:35: providers.p.api_key is not for extractive"
            ),
            (
                "'p p': { kind: extractive }", "",
                "3:3: a name under providers has 1 to 64 letters, digits, \"-\", \"_\" or \".\""
            ),
            ("", "- { candidates: [ { provider: extractive } ] }", "5:5: models[0].id is missing"),
            ("", "- { id: m }", "5:5: models[0].candidates is missing"),
            (
                "", "- { id: m, candidates: [] }",
                "5:26: models[0].candidates must be a list of one or more candidates"
            ),
            (
                "", "- { id: m, candidates: [ { provider: extractiv } ] }",
                "5:40: models[0].candidates[0].provider names a provider that does not exist; "
                    + "did you mean \"extractive\"?"
            ),
            (
                "p: { kind: openai, base_url: http://h }",
                "- { id: m, candidates: [ { provider: p } ] }",
                "5:28: models[0].candidates[0].model is missing"
            ),
            (
                "", "- { id: m, candidates: [ { provider: extractive } ] }",
                "5:5: models[0].retrieval is missing: an extractive candidate can only quote what is "
                    + "retrieved"
            ),
            (
                "p: { kind: openai, base_url: http://h }",
                "- { id: m, candidates: [ { provider: p, model: x } ], task_model: n }",
                "5:69: models[0].task_model names a model that does not exist; did you mean \"m\"?"
            ),
            (
                "p: { kind: openai, base_url: http://h }",
                "- { id: m, candidates: [ { provider: p, model: x } ], allowed_roles: [usr] }",
                "5:72: models[0].allowed_roles names \"usr\", which is no role; did you mean \"user\"?"
            ),
            (
                "p: { kind: openai, base_url: http://h }",
                "- { id: m, candidates: [ { provider: p, model: x } ], retrieval: { collections: [] } }",
                """
                5:83: models[0].retrieval.collections must be a list of one or more collection names of 1 to 64 \
                letters, digits, "-", "_" or "."
                """
            ),
            (
                "p: { kind: openai, base_url: http://h }",
                "- { id: m, candidates: [ { provider: p, model: x } ], retrieval: { collections: [a b] } }",
                """
                5:83: models[0].retrieval.collections must be a list of one or more collection names of 1 to 64 \
                letters, digits, "-", "_" or "."
                """
            ),
        ])
    func entries(provider: String, model: String, problem: String) {
        let provider = provider.isEmpty ? "q: { kind: extractive }" : provider
        let text = "providers:\n  \(provider)\nmodels:\n  \(model)"
        #expect(problems { try peppered(text) }.prefix(1) == [problem])
    }

    @Test(
        "are base URLs with anything that does not belong there",
        arguments: [
            "ftp://h", "h:8000", "http://", "http://:80", "http://user:key@h", "http://h?x=1",
            "http://h#x",
            "http://h/a b", "http://h\\\\x", "file:///etc/passwd", "http:/h", "http://h\\n.evil",
        ])
    func baseURLs(url: String) {
        let text = "providers: { p: { kind: openai, base_url: \"\(url)\" } }"
        #expect(
            problems { try peppered(text) } == [
                "2:43: providers.p.base_url must be an http or https URL without user, query or fragment"
            ])
    }

    @Test("are told all at once, in the order of their places")
    func allAtOnce() {
        let found = problems {
            try configuration(
                """
                workers: x
                modles: []
                models:
                  - { id: a, candidates: [ { provider: nobody, model: x } ] }
                  - { id: a, candidates: [ { provider: extractive } ], retrieval: { colections: [a] } }
                keep_alive: -1
                """)
        }
        #expect(
            found == [
                "1:1: pepper is missing",
                "1:10: workers must be an integer from 1 to 1024, or auto",
                "2:1: unknown key \"modles\"; did you mean \"models\"?",
                "4:40: models[0].candidates[0].provider names a provider that does not exist",
                "5:11: models[1].id is the id of another model too",
                "5:67: models[1].retrieval.collections is missing",
                "5:69: unknown key \"models[1].retrieval.colections\"; did you mean \"collections\"?",
                "6:13: keep_alive must be seconds from 1 to 300",
            ])
    }

    @Test("name the file, one a line")
    func description() {
        let error = #expect(throws: ConfigurationError.self) { try peppered("a: 1\nb: 1") }
        #expect(
            error?.description == """
                archway.yaml:2:1: unknown key "a"
                archway.yaml:3:1: unknown key "b"
                """)
    }

    @Test("include a pepper that is too short, and a file that is not there")
    func pepperAndFile() {
        #expect(
            problems { try configuration("pepper: 0123456789abcdef0123456789abcde") } == [
                "1:9: pepper must be a secret of at least 32 characters"
            ])
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration(path: "/nonexistent/archway.yaml")
        }
        #expect(
            error?.description == "/nonexistent/archway.yaml: open: No such file or directory")
    }

    private func problems(_ read: () throws -> Configuration) -> [String] {
        do {
            _ = try read()
            return []
        } catch {
            return (error as? ConfigurationError)?.problems.map(\.description) ?? ["\(error)"]
        }
    }
}
