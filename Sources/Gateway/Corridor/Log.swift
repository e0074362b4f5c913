internal import EventLoop
internal import JSON
internal import OpenAI
internal import Store

/// One JSON line a request, and one for each event of the process, on standard error, where journald reads it. Never
/// blocks: a line that nobody takes is counted and dropped. Never holds content or secrets, as no station hands it any.
@LoopActor
final class Log {
    /// Lines that were dropped since the last that went out.
    private var dropped = 0
    private let process: String

    /// `process` is `master` or a worker's instance id.
    init(process: String) {
        self.process = process
    }

    /// The line of a finished exchange.
    func line(of exchange: Exchange) {
        let findings = exchange.findings
        var members: [Member] = [
            Member("request_id", .string(exchange.requestID)),
            Member("route", .string(exchange.route)),
            Member("status", findings.status.map { .integer($0) } ?? .null),
            Member("duration_ms", .integer(exchange.elapsed)),
        ]
        func add(_ key: String, _ text: String?) {
            if let text { members.append(Member(key, .string(text))) }
        }
        add("user", exchange.identity?.user?.id)
        add("token", exchange.identity?.tokenID)
        add("model", findings.model)
        add("provider", findings.provider)
        if findings.isSideRequest { members.append(Member("side_request", true)) }
        if let first = findings.firstEventAt {
            members.append(Member("first_event_ms", .integer(Int(first - exchange.acceptedAt))))
        }
        if let usage = findings.usage {
            members.append(Member("prompt_tokens", .integer(usage.promptTokens)))
            members.append(Member("completion_tokens", .integer(usage.completionTokens)))
        }
        add("ended", findings.ended?.rawValue)
        add("detail", findings.detail)
        write("request", members)
    }

    /// A line about the process itself.
    func event(_ name: String, _ members: [Member] = []) {
        write(name, members)
    }

    private func write(_ event: String, _ members: [Member]) {
        var all = [Member("event", .string(event)), Member("process", .string(process))] + members
        if dropped > 0 { all.append(Member("dropped_lines", .integer(dropped))) }
        var line = Value.object(all).encoded()
        line.append(0x0a)
        dropped = send(line) ? 0 : dropped + 1
    }

    private func send(_ line: [UInt8]) -> Bool {
        // A pipe that polls writable takes up to PIPE_BUF bytes at once, and whole.
        StandardError.isWritable && StandardError.write(line)
    }
}
