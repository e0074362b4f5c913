internal import HTTP

/// Builds a reply's head from the lines that curl hands over one by one.
struct HeadParser: Sendable {
    /// A whole head larger than this, interim replies included, is refused.
    static let limit = 64 << 10

    /// The final head, once its blank line has come.
    private(set) var head: ResponseHead?
    private var pending: ResponseHead?
    private var received = 0

    /// Takes one line with its line end; `false` if the reply must be refused.
    ///
    /// Replies of the 1xx range are forgotten; lines after the final head (trailers) are ignored.
    mutating func take(_ line: [UInt8]) -> Bool {
        received += line.count
        guard received <= Self.limit else { return false }
        guard head == nil else { return true }
        var end = line.count
        while end > 0, Self.isBlank(line[end - 1]) { end -= 1 }
        guard end > 0 else { return finish() }
        guard pending != nil else { return begin(line[..<end]) }
        addField(line[..<end])
        return true
    }

    private mutating func begin(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.split(separator: 0x20, maxSplits: 2)
        guard words.count >= 2, words[0].starts(with: "HTTP/".utf8) else { return false }
        guard let code = Int(Self.text(words[1])), (100...999).contains(code) else { return false }
        pending = ResponseHead(status: Status(rawValue: code))
        return true
    }

    private mutating func addField(_ line: ArraySlice<UInt8>) {
        guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { return }
        var start = colon + 1
        while start < line.endIndex, Self.isBlank(line[start]) { start += 1 }
        pending?.fields.append(Self.text(line[..<colon]), Self.text(line[start...]))
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }

    private mutating func finish() -> Bool {
        guard let whole = pending else { return false }
        pending = nil
        if whole.status.rawValue >= 200 { head = whole }
        return true
    }
}
