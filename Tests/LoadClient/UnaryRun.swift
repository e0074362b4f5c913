import EventLoop
import ScriptedProvider

/// One connection on which unary requests follow each other.
@LoopActor final class UnaryRun: LoadDelegate {
    private let load: Load
    private var connection: LoadConnection?
    private var started: Int64 = 0
    private var status = 0
    private var body: [UInt8] = []

    init(_ load: Load) {
        self.load = load
        next()
    }

    private func next() {
        guard load.takeUnary() else {
            connection?.close()
            connection = nil
            return
        }
        let connection = self.connection ?? LoadConnection(port: load.options.port, delegate: self)
        self.connection = connection
        body = []
        started = microseconds()
        connection.send(load.unaryRequest)
    }

    func replied(_ part: ReplyReader.Part) {
        switch part {
        case .status(let code): status = code
        case .body(let bytes): body += bytes
        case .end:
            load.ended(verdict, started: started)
            next()
        case .broken: disconnected("broken")
        }
    }

    private var verdict: String? {
        guard status == 200 else { return "status_\(status)" }
        let text = String(decoding: body, as: UTF8.self)
        return text.contains(#""content":"one two three""#) ? nil : "content"
    }

    /// A server may close a connection between requests; the request that met that is an error.
    func disconnected(_ kind: String) {
        connection?.close()
        connection = nil
        load.ended(kind, started: started)
        next()
    }
}
