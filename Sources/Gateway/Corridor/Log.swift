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
        var line = LogLine("request", process)
        line.add("request_id", exchange.requestID)
        line.add("route", exchange.route)
        line.add("status", exchange.progress.status)
        line.add("duration_ms", exchange.elapsed)
        line.add("user", exchange.identity?.user?.id)
        line.add("token", exchange.identity?.tokenID)
        line.add("model", findings.model)
        line.add("provider", findings.provider)
        if findings.attempts > 1 { line.add("attempts", findings.attempts) }
        if findings.isSideRequest { line.add("side_request", encoded: Array("true".utf8)) }
        if findings.isAskedAgain { line.add("asked_again", encoded: Array("true".utf8)) }
        if findings.isReplayed { line.add("replayed", encoded: Array("true".utf8)) }
        line.add("first_event_ms", findings.firstEventAt.map { Int($0 - exchange.acceptedAt) })
        line.add("prompt_tokens", findings.usage?.promptTokens)
        line.add("completion_tokens", findings.usage?.completionTokens)
        line.add("ended", exchange.progress.end?.ended.rawValue)
        line.add("detail", findings.detail)
        write(line)
    }

    /// A line about the process itself.
    func event(_ name: String, _ members: [Member] = []) {
        var line = LogLine(name, process)
        for member in members {
            if case .string(let text) = member.value {
                line.add(member.key, text)
            } else {
                line.add(member.key, encoded: member.value.encoded())
            }
        }
        write(line)
    }

    private func write(_ event: LogLine) {
        var event = event
        if dropped > 0 { event.add("dropped_lines", dropped) }
        dropped = send(event.finished()) ? 0 : dropped + 1
    }

    private func send(_ line: [UInt8]) -> Bool {
        // A pipe takes up to PIPE_BUF bytes at once, and whole; more could be torn.
        line.count <= 4096 && StandardError.write(line)
    }
}

/// A JSON object on one line.
private struct LogLine: Sendable {
    /// Bytes of a text that are told; the longest are those of a provider's refusal.
    private static let longest = 600

    private var bytes: [UInt8] = []

    init(_ event: String, _ process: String) {
        bytes.reserveCapacity(768)
        bytes.append(UInt8(ascii: "{"))
        add("event", event)
        add("process", process)
    }

    mutating func add(_ key: String, _ text: String?) {
        guard let text = text.map(Self.bounded) else { return }
        begin(key)
        StringLiteral.encode(text, into: &bytes)
    }

    mutating func add(_ key: String, _ number: Int?) {
        guard let number else { return }
        begin(key)
        bytes.append(contentsOf: String(number).utf8)
    }

    mutating func add(_ key: String, encoded value: [UInt8]) {
        begin(key)
        bytes += value
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        return String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }

    /// The whole line, with its end.
    func finished() -> [UInt8] { bytes + Array("}\n".utf8) }

    private mutating func begin(_ key: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: key.utf8)
        bytes.append(contentsOf: "\":".utf8)
    }
}
