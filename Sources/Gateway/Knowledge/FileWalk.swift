internal import EventLoop
internal import System

/// The files under some paths that can be read, each once, in the order of their names.
struct FileWalk {
    /// A file, and what it is called below the path that led to it.
    struct Found: Sendable, Equatable {
        /// Absolute, without links.
        var path: String
        /// Below the folder that was named; for a file that was named, its name.
        var relative: String
    }

    private(set) var files: [Found] = []
    /// Paths that lead nowhere.
    private(set) var failures: [(path: String, reason: String)] = []
    /// Files inside of folders whose names are of no known format.
    private(set) var unknown = 0
    /// Paths in bytes: two names may look the same.
    private var seen: Set<[UInt8]> = []
    /// Folders within each other, at most.
    private let depth = 64

    /// A path that is named may be a link. Inside of a folder links are not followed, so that nothing outside of it
    /// is read; hidden files and files of other kinds are passed over.
    init(_ paths: [String]) {
        for path in paths {
            do throws(SystemError) {
                try start(SystemFile.resolved(path), named: path)
            } catch {
                failures.append((path, "\(error)"))
            }
        }
    }

    private mutating func start(_ path: String, named: String) throws(SystemError) {
        switch try SystemFile.kind(path) {
        case .folder:
            walk(path, below: "", depth: depth)
        case .file:
            let name = path.split(separator: "/").last.map(String.init) ?? path
            if DocumentReader(name: name) == nil {
                failures.append((named, "is of no known format"))
            } else {
                add(path, as: name)
            }
        case .link, .other:
            failures.append((named, "is neither a file nor a folder"))
        }
    }

    private mutating func walk(_ folder: String, below prefix: String, depth: Int) {
        guard depth > 0 else { return failures.append((folder, "is nested too deep")) }
        for name in SystemFile.names(in: folder) where !name.hasPrefix(".") {
            let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
            do throws(SystemError) {
                switch try SystemFile.kind(path) {
                case .folder: walk(path, below: prefix + name + "/", depth: depth - 1)
                case .file where DocumentReader(name: name) != nil: add(path, as: prefix + name)
                case .file: unknown += 1
                case .link, .other: break
                }
            } catch {
                // A name that is no UTF-8 is not found by what is made of it.
                failures.append((path, "\(error)"))
            }
        }
    }

    private mutating func add(_ path: String, as relative: String) {
        if seen.insert(Array(path.utf8)).inserted {
            files.append(Found(path: path, relative: relative))
        }
    }
}
