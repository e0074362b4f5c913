/// A stream that cannot be read on.
package enum EventStreamError: Error, Equatable, CustomStringConvertible {
    /// One event or line is longer than the limit, in bytes.
    case tooLong(limit: Int)

    /// Safe for a caller.
    package var description: String {
        switch self {
        case .tooLong(let limit): "One event of the stream is longer than \(limit) bytes."
        }
    }
}

/// Reads an event stream (WHATWG HTML, section 9.2.6) that arrives in pieces.
///
/// `id` and `retry` are ignored, as nothing here reconnects. An event that the stream does not end
/// with a blank line is never delivered.
package struct EventStreamParser: Sendable {
    private var lines = LineBuffer(ending: .any)
    private var name: String?
    private var data: [UInt8]?
    private var firstData: Range<Int>?
    private var isAtBeginning = true
    private var hasFailed = false
    private let limit: Int

    /// A parser that holds at most `limit` bytes of an unfinished event.
    package init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Adds what arrived. The array is kept, not copied, if no unfinished line is waiting.
    package mutating func append(_ bytes: [UInt8]) {
        lines.append(bytes)
    }

    /// The next whole event, or `nil` until more arrives. After an error, always that error.
    package mutating func next() throws(EventStreamError) -> ServerSentEvent? {
        if hasFailed { throw .tooLong(limit: limit) }
        if isAtBeginning {
            guard lines.skipByteOrderMark() else { return nil }
            isAtBeginning = false
        }
        while let line = lines.next() {
            try charge(line.count)
            if line.isEmpty {
                if let event = dispatch() { return event }
            } else {
                take(line)
            }
        }
        keepFirstData()
        lines.shrink()
        try charge(lines.unfinished.count)
        return nil
    }

    private mutating func charge(_ more: Int) throws(EventStreamError) {
        let held = (data?.count ?? firstData?.count ?? 0) + (name?.utf8.count ?? 0)
        guard held + more <= limit else {
            hasFailed = true
            lines = LineBuffer(ending: .any)
            data = nil
            throw .tooLong(limit: limit)
        }
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            name = nil
            data = nil
            firstData = nil
        }
        if let firstData { return ServerSentEvent(name: name, data: Array(lines.bytes[firstData])) }
        guard let data else { return nil }
        return ServerSentEvent(name: name, data: data)
    }

    /// A `data` line that is alone in its event is copied once, when the event leaves.
    private mutating func keepFirstData() {
        guard let range = firstData else { return }
        data = Array(lines.bytes[range])
        firstData = nil
    }

    private mutating func take(_ line: Range<Int>) {
        let bytes = lines.bytes[line]
        if bytes.starts(with: Self.dataName), let value = value(of: bytes, after: 4) {
            addData(value)
        } else if bytes.starts(with: Self.eventName), let value = value(of: bytes, after: 5) {
            let text = String(decoding: lines.bytes[value], as: UTF8.self)
            name = text.isEmpty ? nil : text
        }
    }

    private static let dataName: [UInt8] = Array("data".utf8)
    private static let eventName: [UInt8] = Array("event".utf8)

    /// The value of a field whose name has `length` bytes; `nil` if the name is a longer one.
    private func value(of line: ArraySlice<UInt8>, after length: Int) -> Range<Int>? {
        let colon = line.startIndex + length
        guard colon < line.endIndex else { return line.endIndex..<line.endIndex }
        guard line[colon] == 0x3A else { return nil }
        let value = colon + 1
        let hasSpace = value < line.endIndex && line[value] == 0x20
        return (hasSpace ? value + 1 : value)..<line.endIndex
    }

    private mutating func addData(_ value: Range<Int>) {
        if data == nil, firstData == nil {
            firstData = value
        } else {
            keepFirstData()
            data?.append(0x0A)
            data?.append(contentsOf: lines.bytes[value])
        }
    }
}
