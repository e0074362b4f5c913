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
        let end = line.lastIndex { $0 != 0x0D && $0 != 0x0A }
        guard let end else { return finish() }
        let text = String(decoding: line[...end], as: UTF8.self)
        guard pending != nil else { return begin(text) }
        addField(text)
        return true
    }

    private mutating func begin(_ line: String) -> Bool {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let code = Int(words[1]) else {
            return false
        }
        guard (100...999).contains(code) else { return false }
        pending = ResponseHead(status: Status(rawValue: code))
        return true
    }

    private mutating func addField(_ line: String) {
        guard let colon = line.utf8.firstIndex(of: 0x3A), colon > line.startIndex else { return }
        let value = line[line.index(after: colon)...]
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = value.firstIndex(where: { !blank($0) }),
            let last = value.lastIndex(where: { !blank($0) })
        else {
            pending?.fields.append(String(line[..<colon]), "")
            return
        }
        pending?.fields.append(String(line[..<colon]), String(value[first...last]))
    }

    private mutating func finish() -> Bool {
        guard let whole = pending else { return false }
        pending = nil
        if whole.status.rawValue >= 200 { head = whole }
        return true
    }
}
