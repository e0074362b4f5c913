import EventLoop
import System

/// Processes of an earlier run that was killed, or workers whose master was. They are known by the folder that they
/// were started in: numbers in files could meanwhile belong to somebody else.
struct Leftovers {
    private let ours: SystemFile.Identity?
    private let database: SystemFile.Identity?

    init(_ state: DevelopmentState) {
        ours = SystemFile.identity(state.folder)
        database = SystemFile.identity(state.database)
    }

    /// nginx, and the master and workers of the pool.
    func servers() -> [Int32] {
        processes { name, arguments, folder in
            folder == ours && (name == "nginx" || isGateway(arguments))
        }
    }

    /// PostgreSQL's processes.
    func databaseServers() -> [Int32] {
        guard database != nil else { return [] }
        return processes { name, _, folder in folder == database && name == "postgres" }
    }

    private func isGateway(_ arguments: [Substring]) -> Bool {
        arguments.count > 1 && ["serve", "worker"].contains(arguments[1])
    }

    private func processes(
        where matches: (String, [Substring], SystemFile.Identity) -> Bool
    ) -> [Int32] {
        SystemFile.names(in: "/proc").compactMap { entry in
            guard let id = Int32(entry), ours != nil,
                let folder = SystemFile.identity("/proc/\(id)/cwd"),
                let name = text(of: "/proc/\(id)/comm"), let line = text(of: "/proc/\(id)/cmdline")
            else { return nil }
            let arguments = line.split(separator: "\0")
            return matches(String(name.dropLast()), arguments, folder) ? id : nil
        }
    }

    private func text(of path: String) -> String? {
        (try? SystemFile.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
