import Foundation
import Testing

@testable import Gateway

@Suite("Arguments of a command")
struct ArgumentsTests {
    private static func parse(_ words: String) throws(Arguments.Mistake) -> Arguments {
        try Arguments(
            words.split(separator: " ").map(String.init), options: ["user", "days"],
            flags: ["json", "admin"])
    }

    @Test("are words, options with a value in either form, and flags, in any order")
    func forms() throws {
        for line in [
            "a --user alice --json b", "--user=alice a --json b", "--json a b --user alice",
        ] {
            let arguments = try Self.parse(line)
            #expect(arguments.words == ["a", "b"])
            #expect(arguments["user"] == "alice")
            #expect(arguments["days"] == nil)
            #expect(arguments.has("json") && !arguments.has("admin"))
        }
        #expect(try Self.parse("--user=a=b")["user"] == "a=b")
        #expect(try Self.parse("--user=")["user"] == "")
        #expect(try Self.parse("--user -")["user"] == "-")
        #expect(try Self.parse("--user=--json")["user"] == "--json")
        #expect(try Self.parse("").words.isEmpty)
    }

    @Test(
        "are refused with what is wrong",
        arguments: [
            ("--user", "--user needs a value"), ("--user --admin", "--user needs a value"),
            ("--colour red", "unknown option --colour"), ("--json=1", "unknown option --json"),
            ("--", "unknown option --"), ("--user a --user b", "--user is there twice"),
            ("--user a --user=a", "--user is there twice"), ("--=x", "unknown option --"),
        ])
    func mistakes(_ line: String, _ expected: String) {
        do throws(Arguments.Mistake) {
            _ = try Self.parse(line)
            Issue.record("\(line) was accepted")
        } catch { #expect(error.description == expected) }
    }

    @Test("say what is missing")
    func missing() throws {
        let arguments = try Self.parse("one two")
        #expect(throws: Arguments.Mistake.self) { try arguments.require("user") }
        #expect(throws: Arguments.Mistake.self) { try arguments.word("name") }
        #expect(throws: Arguments.Mistake.self) { try Self.parse("").word("name") }
        #expect(try Self.parse("one").word("name") == "one")
    }
}

@Suite("The command table")
struct CommandTableTests {
    @Test("names every command once, and no command hides another")
    func names() {
        #expect(Set(commands.map(\.name)).count == commands.count)
        for (index, command) in commands.enumerated() {
            for later in commands[(index + 1)...] {
                #expect(!later.name.hasPrefix(command.name + " "), "\(later.name) is never reached")
            }
        }
    }

    @Test("shows every option and flag in the usage, and only those")
    func usage() {
        for command in commands where !command.summary.isEmpty {
            let shown = Set(
                command.usage.matches(of: /--([a-z-]+)/).map { String($0.output.1) })
            // Every command takes these, as the help says once.
            let common = ["config", "state"]
            let known = command.options.union(command.flags)
            #expect(shown.union(common) == known.union(common), "\(command.name)")
            #expect(command.options.isDisjoint(with: command.flags), "\(command.name)")
            #expect(command.summary.hasSuffix("."), "\(command.name)")
        }
    }

    @Test("is that of the manual page, in the synopsis and in the description")
    func manualPage() throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Docs/archway.8"), encoding: .utf8)
        for part in [/\.Nm\n\.Cm ([a-z -]+[a-z])/, /\.It Cm ([a-z -]+[a-z])/] {
            let told = page.matches(of: part).map { String($0.output.1) }
            #expect(told == commands.filter { !$0.summary.isEmpty }.map(\.name))
        }
    }

    @Test("answers a wrong command line with exit code 2, and help with 0")
    func exitCodes() {
        #expect(Program.run([]) == 2)
        #expect(Program.run(["help"]) == 0)
        #expect(Program.run(["--help"]) == 0)
        #expect(Program.run(["version"]) == 0)
        #expect(Program.run(["--version"]) == 0)
        #expect(Program.run(["nonsense"]) == 2)
        #expect(Program.run(["token"]) == 2)
        #expect(Program.run(["migrate", "--colour", "red"]) == 2)
        #expect(Program.run(["token", "list", "--user"]) == 2)
        #expect(Program.run(["check-config", "--config", "/nonexistent/archway.yaml"]) == 1)
        for command in commands where !command.summary.isEmpty {
            let words = command.name.split(separator: " ").map(String.init)
            #expect(Program.run(words + ["--help"]) == 0)
        }
    }

    @Test("reads the configuration that the command line names")
    func path() throws {
        func path(_ words: String...) throws -> String {
            try Setup.path(Arguments(words, options: Setup.options, flags: []))
        }
        #expect(try path() == "/etc/archway/archway.yaml")
        #expect(try path("--config", "a.yaml") == "a.yaml")
        #expect(try path("--state", "/tmp/s") == "/tmp/s/archway.yaml")
        #expect(throws: Arguments.Mistake.self) {
            try path("--state", "/tmp/s", "--config", "a.yaml")
        }
    }

    @Test("refuses two configurations at once, whatever the command; `dev` takes both on purpose")
    func twoConfigurations() {
        let both = ["--state", "/nonexistent", "--config", "/nonexistent/archway.yaml"]
        for line in [
            "serve", "check-config", "migrate", "user create ann", "user list", "user disable ann",
            "user enable ann", "token create --user ann", "token list --user ann",
            "token revoke token_1", "ingest --collection c /nonexistent",
        ] {
            #expect(Program.run(line.split(separator: " ").map(String.init) + both) == 2, "\(line)")
        }
    }

    @Test("takes documents only for a collection, and a base URL, that others can name")
    func ingestion() {
        func code(_ options: String...) -> Int32 {
            Program.run(["ingest", "--config", "/nonexistent/archway.yaml", "a.md"] + options)
        }
        for url in [
            "https://", "http:///docs", "http://user:pass@h/", "https://h/ok?x=1", "https://h/#top",
            "https://h/x y/", "ftp://h/", "h/docs", "https://h/a\"b", "",
        ] {
            #expect(code("--collection", "docs", "--base-url", url) == 2, "\(url)")
        }
        for url in ["https://h", "http://h:8080/docs/", "HTTPS://h.example.org/a%20b"] {
            #expect(code("--collection", "docs", "--base-url", url) == 1, "\(url)")
        }
        for name in ["", "a b;drop", "a\nb", "über", String(repeating: "a", count: 65)] {
            #expect(code("--collection", name) == 2, "\(name)")
        }
        #expect(code("--collection", "Hand-book_2.1") == 1)
    }
}
