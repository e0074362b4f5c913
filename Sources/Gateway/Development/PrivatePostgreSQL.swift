import EventLoop
import System

/// A PostgreSQL for this person alone. It listens on no network address; its socket has no file (the name is in Linux's
/// abstract namespace), so it needs no folder that both sides may enter and no short path. Who connects is known by the
/// kernel (`peer`).
///
/// PostgreSQL refuses to run as root. Started by root it runs as the user `postgres`, who may not enter a folder below
/// `/root`: the data folder is therefore opened here and handed over as descriptor 3, named `/proc/self/fd/3`.
struct PrivatePostgreSQL {
    private static let descriptor: Int32 = 3
    private static let dataFolder = "/proc/self/fd/3"

    private let state: DevelopmentState
    private let user: SystemUser
    private let programs: String
    private let socket: String

    init(_ state: DevelopmentState) throws {
        self.state = state
        let current = SystemUser.current
        let owner = SystemUser.owner(of: state.database)
        let unprivileged = owner.flatMap { $0.id == 0 ? nil : $0 } ?? SystemUser.named("postgres")
        guard let user = current.id == 0 ? unprivileged : current else {
            throw DevelopmentError(
                "The user postgres is missing, and PostgreSQL never runs as root. On Debian: apt-get install postgresql"
            )
        }
        self.user = user
        programs = try Self.findPrograms(version: Self.version(of: state.database))
        guard let identity = SystemFile.identity(state.folder) else {
            throw DevelopmentError("\(state.folder) is gone.")
        }
        socket = "@archway-\(identity.device)-\(identity.number)"
    }

    /// For libpq. `requirepeer`: an abstract name is taken by whoever comes first.
    var connection: String {
        "host=\(socket) port=5432 dbname=postgres user=archway requirepeer=\(user.name)"
    }

    var isInitialized: Bool { SystemFile.isFolder(state.database) }

    private var draft: String { "\(state.database).new" }

    /// How to make the data folder; then `adopt()` it. An interrupted try leaves only the draft.
    func initialization() throws -> (launch: Subprocess.Launch, folder: SystemFile.Handle) {
        try SystemFile.makeFolder(draft, mode: 0o700)
        if SystemUser.current.id == 0 { try SystemFile.give(draft, to: user) }
        return try launch(
            "initdb", draft,
            [
                "--username=archway", "--encoding=UTF8", "--locale=C.UTF-8",
                "--auth=peer", "--no-instructions",
            ])
    }

    /// How to get rid of what an interrupted `initialization` left.
    var removalOfDraft: Subprocess.Launch { Subprocess.Launch("rm", ["-rf", "--", draft]) }

    func adopt() throws {
        try SystemFile.rename(draft, to: state.database)
    }

    /// How to start the server. No other server may run on the folder: a lock file in it is taken for a dead one's.
    func start() throws -> (launch: Subprocess.Launch, folder: SystemFile.Handle) {
        SystemFile.remove("\(state.database)/postmaster.pid")
        let names = Set([SystemUser.current.name, user.name]).sorted()
        try write("local all all peer map=archway\n", to: "pg_hba.conf")
        try write(names.map { "archway \"\($0)\" archway\n" }.joined(), to: "pg_ident.conf")
        return try launch(
            "postgres", state.database,
            [
                "-p", "5432", "-c", "listen_addresses=", "-c", "unix_socket_directories=\(socket)",
                "-c", "logging_collector=off", "-c", "log_destination=stderr",
            ])
    }

    /// Whether the server with this process id accepts connections (the state word in its lock file).
    func isReady(_ process: Int32) -> Bool {
        guard let bytes = try? SystemFile.read("\(state.database)/postmaster.pid", limit: 4096)
        else { return false }
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 7 && lines[0] == "\(process)" && lines[7].hasPrefix("ready")
    }

    private func launch(
        _ program: String, _ data: String, _ arguments: [String]
    ) throws -> (launch: Subprocess.Launch, folder: SystemFile.Handle) {
        let folder = try SystemFile.folder(data)
        var words: [String] = []
        if SystemUser.current.id == 0 {
            words = ["--reuid=\(user.id)", "--regid=\(user.group)", "--init-groups"]
        }
        // A `dev` that is killed takes PostgreSQL with it: SIGINT is its fast shutdown.
        words += ["--pdeathsig=INT", "--", "\(programs)\(program)", "-D", Self.dataFolder]
        var launch = Subprocess.Launch("setpriv", words + arguments)
        launch.descriptors[Self.descriptor] = folder.descriptor
        launch.folder = "/"
        return (launch, folder)
    }

    /// Readable for the server's user; others cannot enter the folder.
    private func write(_ text: String, to name: String) throws {
        try SystemFile.write(Array(text.utf8), to: "\(state.database)/\(name)", mode: 0o644)
    }

    private static func version(of database: String) -> String? {
        (try? SystemFile.read("\(database)/PG_VERSION", limit: 64)).map { bytes in
            String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
        }
    }

    /// The folder of the newest PostgreSQL, or of the version that made the data; with a slash, or empty for `PATH`.
    private static func findPrograms(version: String?) throws -> String {
        let root = "/usr/lib/postgresql"
        let installed = SystemFile.names(in: root)
            .filter { SystemFile.isExecutable("\(root)/\($0)/bin/initdb") }
            .sorted { (Double($0) ?? 0) > (Double($1) ?? 0) }
        if let version, installed.contains(version) { return "\(root)/\(version)/bin/" }
        if let version, !installed.isEmpty {
            throw DevelopmentError(
                "The data was made by PostgreSQL \(version); installed is \(installed.joined(separator: ", "))."
            )
        }
        if let newest = installed.first { return "\(root)/\(newest)/bin/" }
        if Programs.find("initdb") != nil, Programs.find("postgres") != nil { return "" }
        throw DevelopmentError("PostgreSQL is missing. On Debian: apt-get install postgresql")
    }
}
