internal import CLinux

/// Descriptor 2, for log lines.
package enum StandardError {
    /// A `write` would not wait (`poll`).
    package static var isWritable: Bool {
        var question = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&question, 1, 0) == 1 && question.revents & Int16(POLLOUT) != 0
    }

    /// Writes all of it in one call. False when that failed.
    @discardableResult
    package static func write(_ line: [UInt8]) -> Bool {
        unsafe line.withUnsafeBytes { bytes in
            unsafe CLinux.write(STDERR_FILENO, bytes.baseAddress, bytes.count) == bytes.count
        }
    }
}
