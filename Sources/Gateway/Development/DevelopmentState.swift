import Crypto
import EventLoop
import System

/// The folder that `archway dev` keeps everything in, and the names in it.
struct DevelopmentState {
    /// Absolute, without a slash at the end.
    let folder: String

    /// Names a folder; nothing is made yet.
    init(_ path: String, in currentFolder: String = SystemFile.currentFolder) {
        var path = path
        while path.hasPrefix("./") { path.removeFirst(2) }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        folder =
            path.hasPrefix("/") ? path : path == "." ? currentFolder : "\(currentFolder)/\(path)"
    }

    var configuration: String { "\(folder)/archway.yaml" }
    var adminToken: String { "\(folder)/admin-token" }
    var database: String { "\(folder)/postgresql" }
    var spool: String { "\(folder)/spool" }
    var logs: String { "\(folder)/log" }

    /// The file that says which process a part is.
    func processID(of part: String) -> String { "\(folder)/run/\(part).pid" }

    /// Makes the folder and what is in it, for this user alone, and the pepper if there is none.
    func prepare() throws {
        var parent = ""
        for name in folder.split(separator: "/").dropLast() {
            parent += "/\(name)"
            if !SystemFile.isFolder(parent) { try SystemFile.makeFolder(parent, mode: 0o755) }
        }
        for name in ["", "/run", "/log", "/nginx", "/nginx/snippets", "/nginx/temporary"] {
            try SystemFile.makeFolder(folder + name, mode: 0o700)
        }
        if SystemFile.identity("\(folder)/pepper") == nil {
            let pepper = Hex.encode(try Random.bytes(32)) + "\n"
            try SystemFile.write(Array(pepper.utf8), to: "\(folder)/pepper", mode: 0o600)
        }
    }

    /// Holds the folder against a second `archway dev`, for as long as the result lives.
    func lock() throws -> SystemFile.Handle {
        guard let lock = try SystemFile.locked("\(folder)/run/lock") else {
            throw DevelopmentError(
                "Another `archway dev` is running on \(folder). Stop it, or choose another folder by --state."
            )
        }
        return lock
    }

    /// The pool's socket, by a name that is short enough for one. Where the folder lies too deep, the name leads
    /// through a descriptor of this process, which stays open: processes of the same user may follow it.
    func socket() throws -> String {
        let name = "\(folder)/run/archway.sock"
        guard name.utf8.count > 107 else { return name }
        let run = try SystemFile.folder("\(folder)/run").keptOpen()
        return "/proc/\(Host.processID)/fd/\(run)/archway.sock"
    }

    /// A log that begins anew; what the last run wrote is kept as `….old`.
    func log(_ name: String) throws -> (path: String, file: SystemFile.Handle) {
        let path = "\(logs)/\(name).log"
        try? SystemFile.rename(path, to: "\(path).old")
        return (path, try SystemFile.emptied(path, mode: 0o600))
    }
}
