/// Reads lines (newline-delimited JSON) that arrive in pieces.
package struct LineParser: Sendable {
    private var lines = LineBuffer(ending: .lineFeed)
    private var hasFailed = false
    private let limit: Int

    /// A parser that holds at most `limit` bytes of an unfinished line.
    package init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Adds what arrived. The array is kept, not copied, if no unfinished line is waiting.
    package mutating func append(_ bytes: [UInt8]) {
        lines.append(bytes)
    }

    /// The next whole line that is not empty, without LF or CR LF; `nil` until more arrives.
    /// After an error, always that error.
    package mutating func next() throws(EventStreamError) -> [UInt8]? {
        if hasFailed { throw .tooLong(limit: limit) }
        while let line = lines.next() {
            try check(line.count)
            let content = trimmed(line)
            if !content.isEmpty { return Array(lines.bytes[content]) }
        }
        lines.shrink()
        try check(lines.unfinished.count)
        return nil
    }

    /// What came after the last LF, when the body has ended; `nil` if nothing did.
    package mutating func end() -> [UInt8]? {
        let rest = trimmed(lines.unfinished)
        guard !hasFailed, !rest.isEmpty else { return nil }
        defer { lines = LineBuffer(ending: .lineFeed) }
        return Array(lines.bytes[rest])
    }

    private func trimmed(_ line: Range<Int>) -> Range<Int> {
        let endsInReturn = !line.isEmpty && lines.bytes[line.upperBound - 1] == 0x0D
        return line.lowerBound..<(endsInReturn ? line.upperBound - 1 : line.upperBound)
    }

    private mutating func check(_ length: Int) throws(EventStreamError) {
        guard length <= limit else {
            hasFailed = true
            lines = LineBuffer(ending: .lineFeed)
            throw .tooLong(limit: limit)
        }
    }
}
