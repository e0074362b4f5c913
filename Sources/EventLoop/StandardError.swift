internal import CLinux
internal import Glibc

/// Descriptor 2, for log lines. All processes of a pool share it, so that one may fill the pipe in the moment between
/// another's look and its write: no write may wait, whatever a look has said.
package enum StandardError {
    /// How a line gets there without waiting.
    private enum Way: Sendable {
        /// A file never waits for a reader.
        case file
        /// The journal's; one write can be told not to wait.
        case socket
        /// A pipe or a terminal, opened once more for this process, since whether a write waits is a property of what
        /// is shared.
        case own(Int32)
        /// The same where it may not be opened again: a look before the write is the best there is.
        case shared
    }

    private static let way: Way = {
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return .shared }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFSOCK: return .socket
        default:
            let own = unsafe open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
            return own < 0 ? .shared : .own(own)
        }
    }()

    /// Writes all of it in one call, if that needs no waiting; at most 4096 bytes (`PIPE_BUF`) go out whole. False
    /// when nothing was written.
    @discardableResult
    package static func write(_ line: [UInt8]) -> Bool {
        unsafe line.withUnsafeBytes { bytes in
            let (start, count) = (bytes.baseAddress, bytes.count)
            switch way {
            case .file: return unsafe Glibc.write(STDERR_FILENO, start, count) == count
            case .own(let descriptor): return unsafe Glibc.write(descriptor, start, count) == count
            case .socket:
                let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                return unsafe send(STDERR_FILENO, start, count, flags) == count
            case .shared:
                guard isWritable else { return false }
                return unsafe Glibc.write(STDERR_FILENO, start, count) == count
            }
        }
    }

    /// A `write` would not wait, as it seems (`poll`).
    private static var isWritable: Bool {
        var question = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&question, 1, 0) == 1 && question.revents & Int16(POLLOUT) != 0
    }
}
