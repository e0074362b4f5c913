import HTTP

/// Cuts requests out of what a connection received.
struct RequestReader {
    private var bytes: [UInt8] = []
    private var searched = 0
    private var head: (request: Request, bodyStart: Int, length: Int)?

    mutating func append(_ piece: ArraySlice<UInt8>) { bytes += piece }

    /// The next whole request, or `nil` until more arrives.
    mutating func next() -> Request? {
        if head == nil { readHead() }
        guard let (request, start, length) = head, bytes.count >= start + length else { return nil }
        var whole = request
        whole.body = Array(bytes[start..<start + length])
        bytes.removeFirst(start + length)
        head = nil
        searched = 0
        return whole
    }

    private mutating func readHead() {
        guard let end = headEnd() else { return }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        var fields = Fields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields.append(String(line[..<colon]), String(value))
        }
        let path = words.count > 1 ? String(words[1]) : "/"
        let request = Request(
            method: Method(String(words.first ?? "GET")), path: path, fields: fields)
        head = (request, end + 4, Int(fields["Content-Length"] ?? "0") ?? 0)
    }

    private mutating func headEnd() -> Int? {
        var index = searched
        while index + 3 < bytes.count {
            if bytes[index] == 13, bytes[index + 2] == 13, bytes[index + 1] == 10,
                bytes[index + 3] == 10
            {
                return index
            }
            index += 1
        }
        searched = max(0, bytes.count - 3)
        return nil
    }
}
