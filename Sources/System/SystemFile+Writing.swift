internal import CLinux
package import EventLoop
internal import Glibc

extension SystemFile {
    /// Which file a name leads to: two names of one file have equal identities (`st_dev`, `st_ino`).
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let number: UInt64
    }

    /// An open descriptor that is closed with its last reference. Children do not inherit it by themselves
    /// (`O_CLOEXEC`).
    package final class Handle: Sendable {
        package let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }

        /// A copy of the descriptor that stays open as long as this process lives (`F_DUPFD_CLOEXEC`).
        package func keptOpen() throws(SystemError) -> Int32 {
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw .last("fcntl") }
            return copy
        }
    }

    /// The identity of what `path` leads to (`stat`); nil if it leads nowhere.
    package static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    /// Makes a folder (`mkdir`), unless it is there already; never its parents.
    package static func makeFolder(_ path: String, mode: UInt32) throws(SystemError) {
        if unsafe mkdir(path, mode) == 0 { return }
        guard errno == EEXIST, isFolder(path) else { throw .last("mkdir \(path)") }
    }

    /// Whether a folder is there.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Writes a file so that it is either the old one or complete: a new file with that mode takes the place of `path`.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32
    ) throws(SystemError) {
        let draft = path + ".new"
        unsafe unlink(draft)
        let file = try open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file.descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last("write \(path)") }
            rest = rest.dropFirst(count)
        }
        try rename(draft, to: path)
    }

    /// A file to write to from its end on, made if need be.
    package static func appending(to path: String, mode: UInt32) throws(SystemError) -> Handle {
        try open(path, O_WRONLY | O_CREAT | O_APPEND, mode: mode)
    }

    /// A file to read.
    package static func reading(_ path: String) throws(SystemError) -> Handle {
        try open(path, O_RDONLY, mode: 0)
    }

    /// An empty file to write to. What was in it is gone.
    package static func emptied(_ path: String, mode: UInt32) throws(SystemError) -> Handle {
        try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    }

    /// `/dev/null`, to read and to write.
    package static func nothing() throws(SystemError) -> Handle {
        try open("/dev/null", O_RDWR, mode: 0)
    }

    /// A folder as a descriptor. Through `/proc/self/fd` it can be used without any right on its parents.
    package static func folder(_ path: String) throws(SystemError) -> Handle {
        try open(path, O_RDONLY | O_DIRECTORY, mode: 0)
    }

    /// Opens a file and locks it (`flock`); nil if another process holds the lock. Closing it, or dying, unlocks.
    package static func locked(_ path: String) throws(SystemError) -> Handle? {
        let handle = try open(path, O_RDWR | O_CREAT, mode: 0o600)
        if flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 { return handle }
        guard errno == EWOULDBLOCK else { throw .last("flock \(path)") }
        return nil
    }

    /// `rename`
    package static func rename(_ path: String, to other: String) throws(SystemError) {
        guard unsafe Glibc.rename(path, other) == 0 else { throw .last("rename \(path)") }
    }

    /// `unlink`; a file that is not there is fine.
    package static func remove(_ path: String) {
        unsafe unlink(path)
    }

    /// Gives a file or folder to another user and group (`chown`).
    package static func give(_ path: String, to user: SystemUser) throws(SystemError) {
        guard unsafe chown(path, user.id, user.group) == 0 else { throw .last("chown \(path)") }
    }

    /// What a symbolic link says (`readlink`); nil if it is none.
    package static func target(ofLink path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The names in a folder, sorted, without `.` and `..`; none if it cannot be read.
    package static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether this process may execute it (`access`).
    package static func isExecutable(_ path: String) -> Bool {
        unsafe access(path, X_OK) == 0 && !isFolder(path)
    }

    /// The folder that relative names start from (`getcwd`).
    package static var currentFolder: String {
        guard let path = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    private static func open(
        _ path: String, _ flags: Int32, mode: UInt32
    ) throws(SystemError) -> Handle {
        let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .last("open \(path)") }
        return Handle(descriptor)
    }
}
