internal import EventLoop

/// A line of the command table.
struct Command: Sendable {
    /// As typed, such as `token create`.
    let name: String
    /// Its arguments, for the help.
    let usage: String
    /// One sentence.
    let summary: String
    let options: Set<String>
    let flags: Set<String>
    let run: @Sendable (Arguments) throws -> Int32

    init(
        _ name: String, _ usage: String, _ summary: String, options: Set<String> = [],
        flags: Set<String> = [], run: @escaping @Sendable (Arguments) throws -> Int32
    ) {
        self.name = name
        self.usage = usage
        self.summary = summary
        self.options = options
        self.flags = flags
        self.run = run
    }

    /// The command with its arguments.
    var synopsis: String { usage.isEmpty ? "archway \(name)" : "archway \(name) \(usage)" }
}

/// The program, from its arguments to its exit code: 0 done, 1 failed, 2 not understood.
package enum Program {
    /// `arguments` without the program's name.
    package static func run(_ arguments: [String]) -> Int32 {
        if arguments.isEmpty || ["help", "--help", "-h"].contains(arguments[0]) {
            CommandLineReport.say(help)
            return arguments.isEmpty ? 2 : 0
        }
        let arguments = arguments[0] == "--version" ? ["version"] : arguments
        guard let command = command(of: arguments) else {
            let words = arguments.prefix { !$0.hasPrefix("-") }.prefix(2).joined(separator: " ")
            CommandLineReport.fail(
                "unknown command \(words.isEmpty ? arguments[0] : words); see `archway help`")
            return 2
        }
        let rest = Array(arguments.dropFirst(command.name.split(separator: " ").count))
        if rest.contains("--help") {
            CommandLineReport.say(
                "usage: \(command.synopsis)\n\n\(command.summary)")
            return 0
        }
        do {
            return try command.run(
                Arguments(rest, options: command.options, flags: command.flags))
        } catch let mistake as Arguments.Mistake {
            CommandLineReport.fail("\(mistake)\nusage: \(command.synopsis)")
            return 2
        } catch {
            // Whoever is on the host may know the full face of a fault.
            CommandLineReport.fail(fullFace(of: error))
            return 1
        }
    }

    private static func command(of arguments: [String]) -> Command? {
        commands.first { command in
            arguments.starts(with: command.name.split(separator: " ").map(String.init))
        }
    }

    private static var help: String {
        let lines = commands.filter { !$0.summary.isEmpty }.map { command in
            "  \(command.synopsis)\n      \(command.summary)"
        }
        return """
            Archway: an OpenAI-compatible gateway behind your nginx.

            \(lines.joined(separator: "\n"))

            Every command but `dev` and `version` takes either --config FILE (default \(Setup.defaultPath))
            or --state DIR for a running `archway dev`, whose folder is .archway unless told otherwise.
            """
    }
}
