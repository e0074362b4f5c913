internal import CLinux
package import EventLoop
internal import Glibc

/// Files and the environment, for what is read once at start: these calls block.
package enum SystemFile {
    /// The whole of a file (`open`, `read`); `EFBIG` if it holds more than `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read") }
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= limit else { throw SystemError(call: "read", code: EFBIG) }
        }
    }

    /// A variable of the process's environment (`getenv`); nil if it is not set.
    package static func environmentVariable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
