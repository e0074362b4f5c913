internal import Glibc

/// What a person, or the program behind a pipe, reads at once: nothing is held back in a buffer.
package enum StandardOutput {
    /// Writes `text` (`write`). Gives up silently when nobody reads any more.
    package static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
