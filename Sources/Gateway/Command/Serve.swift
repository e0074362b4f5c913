internal import EventLoop
internal import Store
internal import System

/// `archway serve`, and the worker processes that it starts.
enum Serve {
    /// The master.
    static func run(_ arguments: Arguments) throws -> Int32 {
        let path = try Setup.path(arguments)
        let configuration = try Configuration(path: path)
        Host.raiseDescriptorLimit()
        Host.letsChildrenCrash()
        let inherited = UnixSocket.inherited()
        let socket = try inherited ?? listen(configuration.socket)
        let code = Loop.run { () -> Int32 in
            do {
                return try await Master(path, socket: socket, isSocketKept: inherited != nil) {
                    try Configuration(path: path)
                }.run()
            } catch {
                CommandLineReport.fail("\(error)")
                return 1
            }
        }
        return code ?? 1
    }

    /// The workers of a master that was killed let go of the socket a moment after it died.
    private static func listen(_ path: String) throws(SystemError) -> Int32 {
        for _ in 0..<20 {
            do throws(SystemError) {
                return try UnixSocket.listen(path)
            } catch {
                guard error.isAddressInUse else { throw error }
                Host.pause(milliseconds: 100)
            }
        }
        return try UnixSocket.listen(path)
    }

    /// A worker. Not for people: the master passes it its socket and its channel.
    static func worker(_ arguments: Arguments) throws -> Int32 {
        WorkerProcess.run(
            try Configuration(path: try arguments.require("config")),
            instanceID: try arguments.require("instance"),
            column: Int(try arguments.require("column")) ?? 0)
    }
}
