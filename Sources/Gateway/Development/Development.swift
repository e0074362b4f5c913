import EventLoop
import System

/// `archway dev`: everything on this machine, for one person, with nothing set up.
package enum Development {
    /// Starts PostgreSQL, the pool and nginx below the state folder, prints what to do with them, and runs until
    /// Ctrl-C, SIGTERM or SIGHUP. Whatever happens, no process that it started is left.
    ///
    /// - Returns: the exit code; 0 after an orderly stop.
    package static func run(_ options: DevelopmentOptions) -> Int32 {
        let result = Loop.run { () -> Int32 in
            let session = DevelopmentSession(options)
            do {
                try await session.run()
                return 0
            } catch is Interrupted {
                return 0
            } catch {
                StandardError.write(Array("\narchway dev: \(error)\n".utf8))
                return 1
            }
        }
        return result ?? 1
    }
}
