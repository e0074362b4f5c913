/// Reads a reply of HTTP/1.1, and is strict about its end.
struct WebReplyParser {
    private enum Expectation {
        case head, chunkSize, chunkEnd, trailer, close, nothing
        case bytes(Int)
        case chunk(Int)
    }

    /// The reply to a `HEAD`.
    let hasNoBody: Bool
    private(set) var head: WebHead?
    private(set) var failure: WebFailure?
    private var expectation = Expectation.head
    private var buffer: [UInt8] = []
    private var pieces: [WebPiece] = []

    init(hasNoBody: Bool) { self.hasNoBody = hasNoBody }

    var isWhole: Bool { if case .nothing = expectation { pieces.isEmpty } else { false } }

    mutating func takePiece() -> WebPiece? { pieces.isEmpty ? nil : pieces.removeFirst() }

    mutating func fail(_ failure: WebFailure) {
        if case .nothing = expectation { return }
        if self.failure == nil { self.failure = failure }
    }

    mutating func append(_ bytes: ArraySlice<UInt8>, at time: Int64) {
        buffer += bytes
        while failure == nil, step(time) {}
    }

    /// The connection has ended.
    mutating func end(isClean: Bool) {
        if case .close = expectation, isClean {
            expectation = .nothing
        } else {
            fail(.broken)
        }
    }

    /// Takes one part of the reply; false when it is not there yet.
    private mutating func step(_ time: Int64) -> Bool {
        switch expectation {
        case .nothing:
            if !buffer.isEmpty { failure = .malformed("bytes after the end") }
            return false
        case .head: return takeHead()
        case .close: return take(buffer.count, then: .close, at: time)
        case .bytes(let count):
            let taken = min(count, buffer.count)
            return take(taken, then: taken == count ? .nothing : .bytes(count - taken), at: time)
        case .chunk(let count):
            return buffer.count >= count && take(count, then: .chunkEnd, at: time)
        case .chunkEnd: return takeLine(then: .chunkSize, isEmpty: true) != nil
        case .trailer: return takeLine(then: .nothing, isEmpty: true) != nil
        case .chunkSize:
            guard let line = takeLine(then: .chunkSize, isEmpty: false) else { return false }
            guard let size = Int(line, radix: 16), size >= 0 else {
                failure = .malformed("chunk size \(line)")
                return false
            }
            expectation = size == 0 ? .trailer : .chunk(size)
            return true
        }
    }

    private mutating func take(_ count: Int, then next: Expectation, at time: Int64) -> Bool {
        expectation = next
        guard count > 0 else { return false }
        pieces.append(WebPiece(bytes: Array(buffer[..<count]), arrived: time))
        buffer.removeFirst(count)
        return true
    }

    private mutating func takeLine(then next: Expectation, isEmpty: Bool) -> String? {
        guard let end = buffer.firstIndex(of: 0x0a) else { return nil }
        let line = buffer[..<end]
        guard line.last == 0x0d, !isEmpty || line.count == 1 else {
            failure = .malformed("line \(String(decoding: line, as: UTF8.self))")
            return nil
        }
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        buffer.removeFirst(end + 1)
        expectation = next
        return text
    }

    private mutating func takeHead() -> Bool {
        let blank: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
        guard let end = buffer.firstRange(of: blank) else { return false }
        guard let head = WebHead(String(decoding: buffer[..<end.lowerBound], as: UTF8.self)) else {
            failure = .malformed("head")
            return false
        }
        buffer.removeFirst(end.upperBound)
        self.head = head
        expectation = Self.body(of: head)
        if hasNoBody || head.status == 204 || head.status == 304 { expectation = .nothing }
        return true
    }

    private static func body(of head: WebHead) -> Expectation {
        if head["transfer-encoding"]?.lowercased() == "chunked" { return .chunkSize }
        guard let length = head["content-length"].flatMap({ Int($0) }) else { return .close }
        return length == 0 ? .nothing : .bytes(length)
    }
}
