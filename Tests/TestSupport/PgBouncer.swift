import EventLoop
import Foundation
import System

/// A PgBouncer in transaction mode in front of a server: no session of its clients lasts longer than a transaction.
@LoopActor package final class PgBouncer {
    private nonisolated let folder: String
    private let process: Subprocess

    /// Starts one and waits until it answers. It never runs as root: then the user `postgres` runs it.
    package init(before server: TemporaryPostgreSQL) async throws {
        folder = server.folder
        let configuration = """
            [databases]
            * = host=\(folder) user=archway
            [pgbouncer]
            unix_socket_dir = \(folder)
            listen_port = 6432
            auth_type = any
            pool_mode = transaction
            default_pool_size = 4
            server_login_retry = 1
            ignore_startup_parameters = options
            logfile = \(folder)/pgbouncer.log
            """
        let file = folder + "/pgbouncer.ini"
        try Data(configuration.utf8).write(to: URL(filePath: file))
        let words = server.asServer("/usr/sbin/pgbouncer", [file])
        var launch = Subprocess.Launch(words[0], Array(words.dropFirst()))
        launch.folder = folder
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        launch.descriptors = [0: null, 1: null, 2: null]
        process = try Subprocess(launch)
        let socket = folder + "/.s.PGSQL.6432"
        guard await waitUntil({ FileManager.default.fileExists(atPath: socket) }) else {
            throw Program.Failure(description: "pgbouncer does not start")
        }
    }

    /// The connection string of a database, through the pooler.
    package nonisolated func conninfo(database: String) -> String {
        "host=\(folder) port=6432 dbname=\(database) user=archway"
    }

    /// Ends it.
    package func stop() async {
        process.send(SIGTERM, toGroup: true)
        _ = try? await Program.end(of: process, seconds: 5)
    }
}
