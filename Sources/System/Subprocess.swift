internal import CLinux
package import EventLoop
internal import Glibc

/// A process that this one has started. Whoever starts it also asks for its end, or it stays a zombie.
package struct Subprocess: Sendable {
    /// How a process ended.
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        /// By a signal of this number.
        case killed(Int32)

        /// Ended by itself, with exit code 0.
        package var isSuccess: Bool { self == .exited(0) }
    }

    /// What to start.
    package struct Launch: Sendable {
        /// The program: a path, or a name to look up in `PATH`.
        package var program: String
        /// What it is told, without its own name.
        package var arguments: [String]
        /// The child's descriptors by number, each with ours that it shall be. A number that is missing is closed,
        /// except 0, 1 and 2, which the child then shares with us.
        package var descriptors: [Int32: Int32] = [:]
        /// The folder that the child starts in; ours if nil.
        package var folder: String?

        /// A program and its arguments.
        package init(_ program: String, _ arguments: [String]) {
            self.program = program
            self.arguments = arguments
        }
    }

    /// The process id; also the id of its process group, so that a terminal's Ctrl-C reaches only us.
    package let id: Int32

    /// Starts it (`posix_spawnp`) in a process group of its own, with no signal blocked or ignored.
    package init(_ launch: Launch) throws(SystemError) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let last = max(2, launch.descriptors.keys.max() ?? 2)
        let copies = try Self.copies(of: launch.descriptors, above: last)
        defer { for (_, copy) in copies { close(copy) } }
        for (child, copy) in copies {
            unsafe posix_spawn_file_actions_adddup2(&actions, copy, child)
        }
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, last + 1)
        if let folder = launch.folder {
            unsafe posix_spawn_file_actions_addchdir_np(&actions, folder)
        }
        var attributes = Self.attributes()
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var arguments = unsafe ([launch.program] + launch.arguments).map { unsafe strdup($0) }
        defer { unsafe arguments.forEach { unsafe free($0) } }
        unsafe arguments.append(nil)
        var id: Int32 = 0
        let code = unsafe posix_spawnp(
            &id, launch.program, &actions, &attributes, arguments, environ)
        guard code == 0 else {
            throw SystemError(call: "posix_spawn \(launch.program)", code: code)
        }
        self.id = id
    }

    /// How the process ended, or nil while it runs (`waitpid` with `WNOHANG`). Tells an ending once; later calls say
    /// 255.
    package func ending() -> Ending? {
        var status: Int32 = 0
        let found = unsafe waitpid(id, &status, WNOHANG)
        guard found != 0 else { return nil }
        guard found == id else { return .exited(255) }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
    }

    /// Sends a signal to it, or to its whole process group (`kill`).
    package func send(_ signal: Int32, toGroup: Bool = false) {
        kill(toGroup ? -id : id, signal)
    }

    /// Sends a signal to a process that somebody else has started (`kill`).
    package static func send(_ signal: Int32, to process: Int32) {
        kill(process, signal)
    }

    /// Our descriptors once more, where no number of the child's can be in the way of another's.
    private static func copies(
        of descriptors: [Int32: Int32], above last: Int32
    ) throws(SystemError) -> [(child: Int32, copy: Int32)] {
        var copies: [(child: Int32, copy: Int32)] = []
        for (child, ours) in descriptors {
            let copy = fcntl(ours, F_DUPFD_CLOEXEC, last + 1)
            guard copy >= 0 else {
                let error = SystemError.last("fcntl")
                for (_, copy) in copies { close(copy) }
                throw error
            }
            copies.append((child, copy))
        }
        return copies
    }

    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe posix_spawnattr_setsigmask(&attributes, &set)
        unsafe sigfillset(&set)
        unsafe posix_spawnattr_setsigdefault(&attributes, &set)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        return attributes
    }
}
