internal import Glibc

/// Numbers of signals.
package enum Signal {
    /// `SIGTERM`
    package static let terminate = SIGTERM
    /// `SIGINT`
    package static let interrupt = SIGINT
    /// `SIGHUP`
    package static let hangUp = SIGHUP
    /// `SIGPIPE`
    package static let pipe = SIGPIPE
    /// `SIGCHLD`
    package static let child = SIGCHLD
    /// `SIGKILL`
    package static let kill = SIGKILL
    /// `SIGQUIT`
    package static let quit = SIGQUIT
}
