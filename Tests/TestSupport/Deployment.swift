import EventLoop
import Foundation
import ScriptedProvider
import System

/// Everything that an operator would run, on this machine and for one test or several: PostgreSQL, the gateway, nginx,
/// and a provider that does what it is told.
@LoopActor package final class Deployment {
    /// Why there is none.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// All that were started and not stopped.
    private static var running: [Deployment] = []

    package let plan: DeploymentPlan
    package let folder: String
    package let provider: ProviderServer
    package let server: TemporaryPostgreSQL
    /// The database's name.
    package let database: String
    package let log: GatewayLog
    let ports: [Door: UInt16]
    private let keeper: Keeper
    private var gateway: Subprocess?
    private var nginx: Subprocess?
    private var listener: Int32 = -1

    /// Starts everything, and waits until it serves.
    package static func start(_ plan: DeploymentPlan = DeploymentPlan()) async throws -> Deployment
    {
        let server =
            if let server = plan.server {
                server
            } else if plan.hasOwnDatabase {
                try await TemporaryPostgreSQL.make()
            } else { try await TemporaryPostgreSQL.shared() }
        let conninfo = try await server.makeDatabase()
        let deployment = try Deployment(plan, server, conninfo)
        running.append(deployment)
        do {
            try await deployment.archway("migrate")
            try deployment.startNginx()
            try await deployment.startGateway()
            return deployment
        } catch {
            await deployment.stop()
            throw error
        }
    }

    private init(_ plan: DeploymentPlan, _ server: TemporaryPostgreSQL, _ conninfo: String) throws {
        folder = try TemporaryFolder.make("site")
        self.plan = plan
        self.server = server
        database =
            conninfo.split(separator: " ").first { $0.hasPrefix("dbname=") }
            .map { String($0.dropFirst(7)) } ?? ""
        provider = try ProviderServer()
        log = GatewayLog(folder + "/gateway.log")
        keeper = try Keeper(folder)
        ports = try Dictionary(
            uniqueKeysWithValues: Door.allCases.map { ($0, try FreePort.find()) })
        Secrets.note(folder: folder)
        Secrets.note(file: server.folder + "/log")
        let configuration = NginxConfiguration(
            folder: folder, socket: socket, ports: ports,
            snippet: Self.root + "/nginx/archway-snippet.conf", plan: plan,
            isRoot: geteuid() == 0)
        try write(configuration.text, to: "nginx.conf")
        try write("alice:{PLAIN}right\nbob:{PLAIN}right\n", to: "passwords")
        try configure(conninfo)
    }

    /// The root of this source tree.
    package nonisolated static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The gateway's program, built together with the tests.
    package nonisolated static let program =
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path + "/archway"

    package var socket: String { folder + "/archway.sock" }
    package var configurationFile: String { folder + "/archway.yaml" }

    /// Writes a file into the folder.
    package func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
    }

    private func configure(_ conninfo: String) throws {
        let text = plan.configuration(
            folder: folder, socket: socket, database: plan.database?(database) ?? conninfo,
            providerPort: provider.port,
            deadPort: try FreePort.find())
        try write(text, to: "archway.yaml")
    }

    /// The configuration file's text, changed.
    package func reconfigure(_ change: (String) -> String) throws {
        let text = try String(contentsOfFile: configurationFile, encoding: .utf8)
        try write(change(text), to: "archway.yaml")
    }

    // MARK: Processes

    /// Runs a command of the gateway's, which must succeed; its output.
    @discardableResult
    package func archway(_ words: String...) async throws -> String {
        try await archway(words)
    }

    /// The same.
    @discardableResult
    package func archway(_ words: [String]) async throws -> String {
        try await Program.output([Self.program] + words + ["--config", configurationFile])
    }

    /// Starts the gateway and waits until it is ready, or until it lives.
    package func startGateway(untilReady: Bool = true) async throws {
        var launch = Subprocess.Launch("/bin/sh", [])
        let (null, output) = try (Self.open("/dev/null"), Self.open(log.path))
        defer { for file in [null, output] { close(file) } }
        launch.descriptors = [0: null, 1: output, 2: plan.standardError ?? output]
        if plan.inheritsSocket {
            if listener < 0 { listener = try UnixSocket.listen(socket) }
            launch.descriptors[3] = listener
        }
        launch.arguments = ["-c", shellLine, Self.program, configurationFile]
        let gateway = try Subprocess(launch)
        self.gateway = gateway
        keeper.watch(gateway.id)
        let path = untilReady ? "/health/ready" : "/health/live"
        let isReady = await waitUntil(seconds: 30) { await self.isFine(path) }
        guard isReady else {
            let text = (try? String(contentsOfFile: log.path, encoding: .utf8)) ?? ""
            throw Failure(description: "the gateway does not become ready: \(text.suffix(2000))")
        }
    }

    /// What systemd would do before it starts the program.
    private var shellLine: String {
        let limits = plan.limits.isEmpty ? "" : plan.limits + " && "
        let socket = plan.inheritsSocket ? "LISTEN_PID=$$ LISTEN_FDS=1 " : ""
        return limits + socket + "exec \"$0\" serve --config \"$1\""
    }

    /// Sends a signal to nginx's master. SIGHUP lets it read its configuration again: its old worker finishes what it
    /// has.
    package func signalNginx(_ number: Int32) { nginx?.send(number) }

    /// Ends nginx at once, with all that it serves, and starts it again.
    package func restartNginx() async throws {
        guard let nginx else { return }
        nginx.send(SIGTERM)
        _ = try await Program.end(of: nginx, seconds: 10)
        try startNginx()
        guard await waitUntil({ await self.isFine("/health/ready") }) else {
            throw Failure(description: "nginx does not come back")
        }
    }

    private func startNginx() throws {
        var launch = Subprocess.Launch(
            "/usr/sbin/nginx",
            ["-p", folder, "-c", folder + "/nginx.conf", "-e", "nginx-error.log"]
        )
        let (null, output) = try (Self.open("/dev/null"), Self.open(folder + "/nginx-output.log"))
        defer { for file in [null, output] { close(file) } }
        launch.descriptors = [0: null, 1: output, 2: output]
        let nginx = try Subprocess(launch)
        self.nginx = nginx
        keeper.watch(nginx.id)
    }

    private func isFine(_ path: String) async -> Bool {
        let reply = try? await call(WebRequest("GET", path)).reply()
        return reply?.status == 200
    }

    /// The master's process id.
    package var master: Int32 { gateway?.id ?? 0 }

    /// The workers' process ids, those that are about to end included.
    package var workers: [Int32] { Self.children(of: master) }

    /// The folder of what waits for the database.
    package var spool: String { plan.spool ?? folder + "/spool" }

    /// The files of records in it.
    package var spooled: [String] { spoolFiles.filter { !$0.hasSuffix(".life") } }

    /// The files by which workers are known as living.
    package var lifeFiles: [String] { spoolFiles.filter { $0.hasSuffix(".life") } }

    private var spoolFiles: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: spool)) ?? []
    }

    /// Sends a signal to the gateway's master.
    package func signal(_ number: Int32) { gateway?.send(number) }

    /// Waits for the gateway's end; its exit code.
    package func gatewayEnd(seconds: Double) async throws -> Int32 {
        guard let gateway else { return -1 }
        let code = try await Program.end(of: gateway, seconds: seconds)
        self.gateway = nil
        return code
    }

    /// Stops everything, by process id.
    package func stop() async {
        Self.running.removeAll { $0 === self }
        let workers = workers
        for process in [gateway, nginx].compactMap({ $0 }) {
            process.send(SIGTERM)
            _ = try? await Program.end(of: process, seconds: 3)
        }
        for worker in workers where ProcessFigures.isAlive(worker) { kill(worker, SIGKILL) }
        (gateway, nginx) = (nil, nil)
        provider.stop()
        // Its log stays: it is searched for secrets at the end. One that a test has halted hears nothing.
        if plan.hasOwnDatabase, plan.server == nil {
            try? await server.thaw()
            try? await server.stop()
        }
        if listener >= 0 { close(listener) }
    }

    /// Stops all that is left.
    package static func stopAll() async {
        for deployment in running { await deployment.stop() }
    }

    /// The process ids of a process's children.
    package static func children(of parent: Int32) -> [Int32] {
        let path = "/proc/\(parent)/task/\(parent)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }

    private static func open(_ path: String) throws -> Int32 {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError.last("open \(path)") }
        return file
    }

    // MARK: Use

    /// Asks through nginx.
    package func call(
        _ request: WebRequest, at door: Door = .site, receiveBuffer: Int32? = nil
    ) throws -> WebCall {
        try WebCall(request, port: ports[door] ?? 0, receiveBuffer: receiveBuffer)
    }

    /// Where a client finds the gateway, without a path.
    package func url(_ door: Door = .site) -> String { "http://127.0.0.1:\(ports[door] ?? 0)" }

    /// Runs SQL in the gateway's database; plain output.
    @discardableResult
    package func sql(_ text: String) async throws -> String {
        try await server.sql(text, database: database)
    }
}
