import Foundation

/// A real PostgreSQL server for one test process, or for one test that stops and starts it.
///
/// It lives in a folder of its own under /tmp, speaks through a UNIX socket there only, and trusts
/// everybody who can reach that. PostgreSQL never runs as root: then the user `postgres` runs it. A watcher
/// process waits for the end of the tests, however they end, and then stops the server and removes
/// the folder.
package final class TemporaryPostgreSQL: @unchecked Sendable {
    /// Why there is no server.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let sharedServer = Result { try TemporaryPostgreSQL() }

    /// Holds the socket and the data.
    package let folder: String
    private let binaries: String
    private let watcher: Pipe
    private let lock = NSLock()
    private var databases = 0

    /// The server that most tests share, each with a database of its own.
    package static func shared() async throws -> TemporaryPostgreSQL {
        try await onThread { try sharedServer.get() }
    }

    /// A new server, for a test that stops it.
    package static func make() async throws -> TemporaryPostgreSQL {
        try await onThread { try TemporaryPostgreSQL() }
    }

    /// Stops the server, as `pg_ctl stop -m immediate` does: no goodbye to anybody.
    package func stop() async throws {
        try await Self.onThread { try self.stopNow() }
    }

    /// Kills all of its processes (`SIGKILL`), the master first.
    package func kill() async throws {
        try await Self.onThread { try self.signal(SIGKILL) }
    }

    /// Starts the server again and waits until it answers.
    package func start(maximumConnections: Int = 120, options: String = "") async throws {
        try await Self.onThread { try self.startNow(maximumConnections, options) }
    }

    /// Kills it and starts it again on the caller's own thread: if that is the loop's, nothing else sees it happen.
    package func restartNow() throws {
        // Stopped first: a session whose master has died says goodbye.
        try signal(SIGSTOP)
        try signal(SIGKILL)
        try startNow(120, "")
    }

    /// Stops all of its processes where they are (`SIGSTOP`), so that it answers nothing and closes nothing.
    package func freeze() async throws {
        try await Self.onThread { try self.signal(SIGSTOP) }
    }

    /// Lets them go on.
    package func thaw() async throws {
        try await Self.onThread { try self.signal(SIGCONT) }
    }

    /// Takes a copy of another server's data instead of its own, to follow that one.
    func replaceData(byCopyOf other: TemporaryPostgreSQL) async throws {
        try await Self.onThread {
            try FileManager.default.removeItem(atPath: self.folder + "/data")
            try self.runAsServer(
                "pg_basebackup",
                [
                    "-h", other.folder, "-U", "archway", "-D", self.folder + "/data", "-R",
                    "-X", "stream", "-c", "fast", "--no-sync",
                ])
        }
    }

    /// A new, empty database; returns libpq's connection string for it.
    package func makeDatabase() async throws -> String {
        let name = lock.withLock {
            databases += 1
            return "test_\(databases)"
        }
        try await sql("CREATE DATABASE \(name)", database: "postgres")
        return conninfo(database: name)
    }

    /// libpq's connection string for a database of this server.
    package func conninfo(database: String) -> String {
        "host=\(folder) dbname=\(database) user=archway"
    }

    /// Runs SQL with psql, as an operator would; returns its plain output.
    @discardableResult
    package func sql(_ text: String, database: String) async throws -> String {
        try await Self.onThread { try self.sqlNow(text, database: database) }
    }

    /// The same while the loop stands still.
    package func sqlNow(_ text: String, database: String) throws -> String {
        try run(
            "\(binaries)/psql",
            [
                "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", folder,
                "-U", "archway", "-d", database, "-c", text,
            ])
    }

    /// The loop's thread must never wait for a process.
    private static func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    private init() throws {
        binaries = try Self.findBinaries()
        folder = try TemporaryFolder.make("postgresql")
        watcher = Pipe()
        // The server must not hold the watcher's pipe open.
        for file in [watcher.fileHandleForWriting, watcher.fileHandleForReading] {
            _ = fcntl(file.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        if geteuid() == 0 { try run("/usr/bin/chown", ["postgres", folder]) }
        try startWatcher()
        try runAsServer(
            "initdb",
            [
                "-D", "\(folder)/data", "-U", "archway", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync",
            ])
        try startNow(120)
    }

    private func signal(_ number: Int32) throws {
        let file = try String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
        guard let master = file.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw Failure(description: "no process number in postmaster.pid")
        }
        let path = "/proc/\(master)/task/\(master)/children"
        let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
            .compactMap { Int32($0) }
        guard Glibc.kill(master, number) == 0 else {
            throw Failure(description: "the server cannot be sent signal \(number)")
        }
        // The master first, which then makes no more of them. One that has ended meanwhile is none.
        for child in children { Glibc.kill(child, number) }
        guard number == SIGKILL else { return }
        while ([master] + children).contains(where: ProcessFigures.isAlive) { usleep(2000) }
        // The next start takes a process that nobody has asked for its end for one that runs.
        for lock in ["data/postmaster.pid", ".s.PGSQL.5432.lock"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(lock)")
        }
    }

    private func stopNow() throws {
        try runAsServer("pg_ctl", ["-D", "\(folder)/data", "-m", "immediate", "stop"])
    }

    private func startNow(_ maximumConnections: Int, _ more: String = "") throws {
        let options = [
            "-k \(folder)", "-c listen_addresses=''", "-c fsync=off", "-c full_page_writes=off",
            "-c max_connections=\(maximumConnections)",
            "-c shared_buffers=16MB", "-c superuser_reserved_connections=0", more,
        ]
        try runAsServer(
            "pg_ctl",
            [
                "-D", "\(folder)/data", "-l", "\(folder)/log", "-w", "-t", "60",
                "-o", options.joined(separator: " "), "start",
            ])
    }

    private static func findBinaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap { Int($0) }.sorted().last { version in
            FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb")
        }
        guard let newest else {
            throw Failure(description: "no \(root)/*/bin/initdb: install the package postgresql")
        }
        return "\(root)/\(newest)/bin"
    }

    /// The end of its standard input is the end of the tests, be it a crash.
    private func startWatcher() throws {
        let stop = asServer(
            "\(binaries)/pg_ctl", ["-D", "\(folder)/data", "-m", "immediate", "stop"])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "trap '' INT TERM; read line; \(stop.joined(separator: " ")); rm -rf \(folder)",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = watcher
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// The words that run a program as the server's user.
    func asServer(_ program: String, _ arguments: [String]) -> [String] {
        let prefix = geteuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] : []
        return prefix + [program] + arguments
    }

    private func runAsServer(_ program: String, _ arguments: [String]) throws {
        let words = asServer("\(binaries)/\(program)", arguments)
        try run(words[0], Array(words.dropFirst()))
    }

    /// Runs a program to its end. Its output goes to a file: a server that stays behind would keep a
    /// pipe open for ever. (And Foundation's `Process` waits for all descendants.)
    @discardableResult
    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let output = "\(folder)/\(UUID().uuidString).output"
        defer { unlink(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_CREAT | O_WRONLY, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let words: [UnsafeMutablePointer<CChar>?] =
            ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        guard posix_spawn(&child, program, &actions, nil, words, environ) == 0 else {
            throw Failure(description: "\(program) cannot be started")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0 else {
            throw Failure(description: "\(program) \(arguments.joined(separator: " ")): \(text)")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
