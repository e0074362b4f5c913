import EventLoop
import HTTP
import ScriptedProvider

/// One streamed request whose every event is looked at.
@LoopActor final class StreamRun: LoadDelegate {
    private let load: Load
    private var connection: LoadConnection?
    private var parser = EventStreamParser()
    private let started = microseconds()
    private var seen = 0
    private var isDone = false
    private var failure: String?

    init(_ load: Load) {
        self.load = load
        let connection = LoadConnection(port: load.options.port, delegate: self)
        self.connection = connection
        connection.send(load.streamRequest)
    }

    func replied(_ part: ReplyReader.Part) {
        switch part {
        case .status(200): return
        case .status(let code): end("status_\(code)")
        case .body(let bytes):
            parser.append(bytes)
            do {
                while let event = try parser.next() { take(event.data) }
            } catch {
                end("parse")
            }
        case .end: end(verdict)
        case .broken: end("broken")
        }
    }

    func disconnected(_ kind: String) { end(kind) }

    private var verdict: String? {
        if let failure { return failure }
        if !isDone { return "no_done" }
        return seen == load.pieces ? nil : "missing"
    }

    private func take(_ data: [UInt8]) {
        if isDone { return note("after_done") }
        if data == Self.done {
            isDone = true
            return
        }
        guard let (index, stamp) = Self.stamp(in: data) else {
            if data.starts(with: Self.error) { note("error_event") }
            return
        }
        let now = microseconds()
        if index != seen { note("order") }
        if seen == 0 { load.figures.firstEvents.append(now - started) }
        seen += 1
        load.figures.chunks += 1
        load.figures.lags.append(now - stamp)
    }

    private func note(_ kind: String) { if failure == nil { failure = kind } }

    func end(_ kind: String?) {
        guard let connection else { return }
        connection.close()
        self.connection = nil
        load.ended(kind, started: started)
    }

    private static let done = Array("[DONE]".utf8)
    private static let error = Array(#"{"error""#.utf8)
    private static let content = Array(#""content":""#.utf8)

    /// The index and the time in `"content":"INDEX:TIME "`.
    private static func stamp(in data: [UInt8]) -> (index: Int, time: Int64)? {
        var place = 0
        while place + content.count < data.count {
            if data[place] == 0x22, data[place + 1] == 0x63,
                data[place..<place + content.count].elementsEqual(content)
            {
                place += content.count
                let index = number(data, &place)
                guard place < data.count, data[place] == 0x3A else { return nil }
                place += 1
                return (Int(index), number(data, &place))
            }
            place += 1
        }
        return nil
    }

    private static func number(_ data: [UInt8], _ place: inout Int) -> Int64 {
        var value: Int64 = 0
        while place < data.count, (0x30...0x39).contains(data[place]) {
            value = value &* 10 &+ Int64(data[place] - 0x30)
            place += 1
        }
        return value
    }
}
