import EventLoop
import System

/// One run of `archway dev`, from the first process to the end of the last.
@LoopActor
final class DevelopmentSession {
    private let options: DevelopmentOptions
    private let state: DevelopmentState
    /// In the order in which they were started; ended in the opposite one.
    private var parts: [Part] = []
    private var isInterrupted = false
    private let changed = Gate()

    init(_ options: DevelopmentOptions) {
        self.options = options
        state = DevelopmentState(options.state)
    }

    /// Starts everything, stays until somebody ends it or a part of it fails, and ends everything.
    func run() async throws {
        let signals = try Signals([
            Signal.interrupt, Signal.terminate, Signal.hangUp, Signal.child, Signal.pipe,
        ]) { [self] in received($0) }
        defer { withExtendedLifetime(signals) {} }
        try state.prepare()
        let lock = try state.lock()
        defer { withExtendedLifetime(lock) {} }
        try await endLeftovers()
        guard LoopbackPort.isFree(options.port) else {
            throw DevelopmentError(
                "Port \(options.port) of 127.0.0.1 is taken by another program. Choose a free one by "
                    + "--port \(options.port == .max ? 8080 : options.port + 1), with make run: "
                    + "ARGS=\"--port \(options.port == .max ? 8080 : options.port + 1)\"")
        }
        do {
            try await start()
            try await stay()
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private func received(_ signal: Int32) {
        if [Signal.interrupt, Signal.terminate, Signal.hangUp].contains(signal) {
            isInterrupted = true
        }
        changed.open()
    }

    private func stay() async throws {
        while !isInterrupted {
            try checkParts()
            try await changed.pass()
        }
        say("\nStopping.")
    }

    // MARK: Start

    private func start() async throws {
        let database = try PrivatePostgreSQL(state)
        try writeConfiguration(database)
        if !database.isInitialized { try await initialize(database) }
        let server = try database.start()
        let postgreSQL = try launch("postgresql", server.launch, folder: server.folder)
        try await wait("PostgreSQL", seconds: 60) { database.isReady(postgreSQL.id) }
        try await perform("migrate", ["migrate", "--state", "."])
        say("PostgreSQL is ready.")

        SystemFile.remove("\(state.folder)/run/archway.sock")
        try record(try launch("master", own(["serve", "--state", "."])), as: "master")
        let nginx = PrivateNginx(state: state, port: options.port)
        try record(try launch("nginx", guarded(nginx.launch())), as: "nginx")
        let gateway = GatewayProbe(port: options.port)
        try await wait("The gateway", seconds: 60) { await gateway.isReady() }
        say("The gateway is ready.")

        let isDocumented = try await ingestDocumentation()
        var steps = FirstSteps(state: state, port: options.port)
        steps.subject = try hasOwnDocs ? .own : isDocumented ? .documentation : .collection
        steps.hasToken = try await provideAdminToken(gateway)
        say(steps.text)
    }

    /// The person's file has a model `docs`, which is not the built-in one.
    private var hasOwnDocs: Bool {
        get throws {
            let models = try Configuration(path: state.configuration).models
            return !models.contains { $0.name == DevelopmentConfiguration.docsName }
        }
    }

    private func writeConfiguration(_ database: PrivatePostgreSQL) throws {
        let configuration = DevelopmentConfiguration(
            socket: try state.socket(), database: database.connection,
            spool: state.spool)
        try configuration.write(to: state.configuration, adding: options.configuration)
    }

    private func initialize(_ database: PrivatePostgreSQL) async throws {
        say("Making a database in \(state.database).")
        try await perform("initdb", launch: database.removalOfDraft)
        let (launch, folder) = try database.initialization()
        try await perform("initdb", launch: launch, folder: folder)
        try database.adopt()
    }

    /// In a clone of the project its own documentation becomes the collection `docs`. Unchanged files are left.
    /// False: this is no clone.
    private func ingestDocumentation() async throws -> Bool {
        guard SystemFile.isFolder("Docs"), SystemFile.identity("Package.swift") != nil,
            SystemFile.isFolder("Sources/Gateway")
        else { return false }
        var launch = own([
            "ingest", "Docs", "--collection", "docs", "--state", state.folder,
        ])
        launch.folder = SystemFile.currentFolder
        try await perform("ingest", launch: launch, seconds: 600)
        say("The project's documentation is in the collection docs.")
        return true
    }

    /// Makes an admin with a token at the first start, and a new token when the old one is no longer good. False, and
    /// told why: there can be none.
    private func provideAdminToken(_ gateway: GatewayProbe) async throws -> Bool {
        let known = try? SystemFile.read(state.adminToken, limit: 4096)
        if let known, await gateway.accepts(token: known) { return true }
        let draft = "\(state.adminToken).new"
        let output = try SystemFile.emptied(draft, mode: 0o600)
        do {
            try await perform(
                "admin-token", ["token", "create", "--admin", "--name", "dev", "--state", "."],
                output: output)
        } catch let error as DevelopmentError {
            // The admin may be disabled, which only a running gateway can change.
            SystemFile.remove(draft)
            say("\n\(error)")
            return false
        }
        try SystemFile.rename(draft, to: state.adminToken)
        return true
    }

    // MARK: Processes

    /// This program itself, in the state folder, so that all names can be relative.
    private func own(_ arguments: [String]) -> Subprocess.Launch {
        guarded(Subprocess.Launch(Programs.own, arguments))
    }

    /// In the state folder, and ended by the kernel if `dev` is killed.
    private func guarded(_ launch: Subprocess.Launch) -> Subprocess.Launch {
        var result = Subprocess.Launch(
            "setpriv", ["--pdeathsig=TERM", "--", launch.program] + launch.arguments)
        result.folder = state.folder
        return result
    }

    private func launch(
        _ name: String, _ launch: Subprocess.Launch, output: SystemFile.Handle? = nil,
        folder: SystemFile.Handle? = nil
    ) throws -> Part {
        let part = try Part(
            name, launch, log: try state.log(name), output: output, folder: folder)
        parts.append(part)
        return part
    }

    /// Writes down the id of a part's process.
    private func record(_ part: Part, as name: String) throws {
        try SystemFile.write(
            Array("\(part.id)\n".utf8), to: state.processID(of: name), mode: 0o600)
    }

    private func perform(
        _ name: String, _ arguments: [String], output: SystemFile.Handle? = nil
    ) async throws {
        try await perform(name, launch: own(arguments), output: output)
    }

    /// Runs a program to its end, which must be a good one.
    private func perform(
        _ name: String, launch: Subprocess.Launch, output: SystemFile.Handle? = nil,
        folder: SystemFile.Handle? = nil, seconds: Int = 120
    ) async throws {
        let part = try self.launch(name, launch, output: output, folder: folder)
        try await wait(name, seconds: seconds) { part.hasEnded() != nil }
        parts.removeAll { $0 === part }
        guard let ending = part.hasEnded(), !ending.isSuccess else { return }
        throw DevelopmentError(name, ended: ending, log: part.log)
    }

    /// Polls a condition until it holds, the time is over, a part fails or the person gives up.
    private func wait(
        _ what: String, seconds: Int, until holds: () async -> Bool
    ) async throws {
        let deadline = Loop.now + Int64(seconds * 1000)
        while await !holds() {
            if isInterrupted { throw Interrupted() }
            try checkParts(besides: what)
            guard Loop.now < deadline else {
                throw DevelopmentError(
                    "\(what) was not done after \(seconds) seconds. See \(state.logs).")
            }
            try await Loop.sleep(milliseconds: 10)
        }
    }

    private func checkParts(besides name: String = "") throws {
        for part in parts where part.name != name {
            guard let ending = part.hasEnded() else { continue }
            throw DevelopmentError(part.name, ended: ending, log: part.log)
        }
    }

    // MARK: End

    /// First the gateway, so that no request meets a part that is missing; the database last.
    private func end() async {
        for part in parts.reversed() where !["nginx", "postgresql"].contains(part.name) {
            await part.stop(Signal.terminate, seconds: 8)
        }
        for part in parts.reversed() {
            await part.stop(part.name == "nginx" ? Signal.terminate : Signal.interrupt, seconds: 20)
        }
        for id in Leftovers(state).servers() { Subprocess.send(Signal.kill, to: id) }
        parts = []
        for name in ["master", "nginx"] { SystemFile.remove(state.processID(of: name)) }
        SystemFile.remove("\(state.folder)/run/archway.sock")
    }

    /// Ends what a killed run has left, before it can disturb this one.
    private func endLeftovers() async throws {
        let leftovers = Leftovers(state)
        try await endAll("servers", by: Signal.terminate) { leftovers.servers() }
        try await endAll("PostgreSQL", by: Signal.interrupt) { leftovers.databaseServers() }
    }

    private func endAll(
        _ what: String, by signal: Int32, _ processes: () -> [Int32]
    ) async throws {
        guard !processes().isEmpty else { return }
        say("Ending \(what) of an earlier run.")
        for (signal, seconds) in [(signal, 10), (Signal.quit, 5), (Signal.kill, 5)] {
            for id in processes() { Subprocess.send(signal, to: id) }
            let deadline = Loop.now + Int64(seconds * 1000)
            while !processes().isEmpty, Loop.now < deadline {
                try await Loop.sleep(milliseconds: 20)
            }
            if processes().isEmpty { return }
        }
        throw DevelopmentError("\(what) of an earlier run cannot be ended: \(processes()).")
    }

    private func say(_ line: String) { StandardOutput.write(line + "\n") }
}
