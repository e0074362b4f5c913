package import EventLoop
internal import Glibc

extension SystemFile {
    /// What stands behind a name.
    package enum Kind: Sendable, Hashable {
        case file
        case folder
        /// A symbolic link, whatever it leads to.
        case link
        /// A device, a pipe, a socket: reading it may wait for ever.
        case other
    }

    /// The kind of `path` itself, links not followed (`lstat`).
    package static func kind(_ path: String) throws(SystemError) -> Kind {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .last("lstat") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// The absolute name without links, `.` and `..` (`realpath`).
    package static func resolved(_ path: String) throws(SystemError) -> String {
        guard let name = unsafe realpath(path, nil) else { throw .last("realpath") }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }
}
