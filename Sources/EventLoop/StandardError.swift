internal import CLinux
internal import Glibc

/// Descriptor 2, for log lines.
package enum StandardError {
    /// It is a file: a write never waits for a reader.
    private static let isFile: Bool = {
        var status = stat()
        return unsafe fstat(STDERR_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }()

    /// A `write` would not wait (`poll`).
    package static var isWritable: Bool {
        if isFile { return true }
        var question = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&question, 1, 0) == 1 && question.revents & Int16(POLLOUT) != 0
    }

    /// Writes all of it in one call. False when that failed.
    @discardableResult
    package static func write(_ line: [UInt8]) -> Bool {
        unsafe line.withUnsafeBytes { bytes in
            unsafe Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) == bytes.count
        }
    }
}
