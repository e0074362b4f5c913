internal import CLinux
package import EventLoop
internal import Glibc

/// Sockets of the file system.
package enum UnixSocket {
    /// Connections that may wait to be accepted; the kernel takes the lesser of this and `net.core.somaxconn`.
    package static let backlog: Int32 = 4096

    /// Opens a listening, non-blocking stream socket at `path`, which at most 107 bytes long. `mode` are its
    /// permission bits: who may write to it may connect.
    package static func listen(_ path: String, mode: UInt32 = 0o660) throws(SystemError) -> Int32 {
        let descriptor = unsafe listen_at_path(path, mode, backlog)
        guard descriptor >= 0 else { throw .last("listen \(path)") }
        return descriptor
    }

    /// The listening socket that systemd handed over (`LISTEN_FDS`), made non-blocking, or nil.
    package static func inherited() -> Int32? {
        guard SystemFile.environmentVariable("LISTEN_PID") == String(getpid()),
            SystemFile.environmentVariable("LISTEN_FDS") == "1"
        else { return nil }
        let descriptor: Int32 = 3
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// Two connected sockets, closed on exec (`socketpair`).
    package static func pair() throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .last("socketpair") }
        return (ends[0], ends[1])
    }
}

/// Tells systemd how the service is (`sd_notify`). Without effect where systemd does not listen.
package enum ServiceManager {
    /// Sends lines such as `READY=1`.
    package static func notify(_ state: String) {
        guard let path = SystemFile.environmentVariable("NOTIFY_SOCKET") else { return }
        unsafe notify_manager(path, state)
    }
}
