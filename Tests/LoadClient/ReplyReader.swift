/// Reads HTTP/1.1 replies that arrive in pieces: status, then body bytes.
struct ReplyReader {
    enum Part { case status(Int), body([UInt8]), end, broken }

    private enum State { case head, length(Int), size, chunk(Int), chunkEnd, trailer }

    private var bytes: [UInt8] = []
    private var start = 0
    private var state = State.head

    /// Whether a reply has begun and has not ended.
    var isInside: Bool {
        if case .head = state { return start < bytes.count }
        return true
    }

    mutating func append(_ piece: ArraySlice<UInt8>) {
        if start == bytes.count {
            bytes = Array(piece)
        } else {
            bytes.removeFirst(start)
            bytes += piece
        }
        start = 0
    }

    mutating func next() -> Part? {
        while true {
            switch state {
            case .head: return head()
            case .length(0):
                state = .head
                return .end
            case .length(let left):
                guard let piece = take(left) else { return nil }
                state = .length(left - piece.count)
                return .body(piece)
            case .size:
                guard let line = line() else { return nil }
                guard let size = Int(line, radix: 16) else { return .broken }
                state = size == 0 ? .trailer : .chunk(size)
            case .chunk(let left):
                guard let piece = take(left) else { return nil }
                state = piece.count == left ? .chunkEnd : .chunk(left - piece.count)
                return .body(piece)
            case .chunkEnd:
                guard line() != nil else { return nil }
                state = .size
            case .trailer:
                guard let line = line() else { return nil }
                if line.isEmpty {
                    state = .head
                    return .end
                }
            }
        }
    }

    private mutating func take(_ limit: Int) -> [UInt8]? {
        guard start < bytes.count else { return nil }
        let piece = Array(bytes[start...].prefix(limit))
        start += piece.count
        return piece
    }

    private mutating func line() -> String? {
        guard let end = bytes[start...].firstIndex(of: 10) else { return nil }
        defer { start = end + 1 }
        let line = bytes[start..<end]
        return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
    }

    private mutating func head() -> Part? {
        let begin = start
        var status: Int?
        var next = State.length(0)
        while let line = line() {
            if line.isEmpty {
                state = next
                return status.map { .status($0) } ?? .broken
            }
            if status == nil {
                status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                continue
            }
            let lower = line.lowercased()
            if lower.hasPrefix("content-length:") {
                next = .length(Int(line.dropFirst(15).filter { $0 != " " }) ?? 0)
            } else if lower.hasPrefix("transfer-encoding:") {
                next = .size
            }
        }
        start = begin
        return nil
    }
}
