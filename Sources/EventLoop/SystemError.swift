internal import CLinux
internal import Glibc

/// A system call that failed: which one, and the `errno` it left.
package struct SystemError: Error, Sendable, CustomStringConvertible {
    /// The name of the call, such as `epoll_ctl`.
    package let call: String
    /// The value of `errno`.
    package let code: Int32

    /// Wraps an error number of `call`.
    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error that `call` left in `errno` on this thread.
    package static func last(_ call: String) -> SystemError {
        SystemError(call: call, code: errno)
    }

    /// `EADDRINUSE`: somebody listens there.
    package var isAddressInUse: Bool { code == EADDRINUSE }

    /// The call and the system's text for its error (`strerror`).
    package var description: String {
        let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "\(call): \(text)"
    }
}
