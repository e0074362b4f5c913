internal import HTTP

/// The head of a reply in CGI's form (RFC 3875, section 6): `Status` first, then the fields.
enum ReplyHead {
    static func bytes(_ head: ResponseHead) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(512)
        text.append(contentsOf: "Status: \(head.status.rawValue) \(head.status.reason)\r\n".utf8)
        for (name, value) in head.fields where isSafe(name) && isSafe(value) {
            text.append(contentsOf: name.utf8)
            text.append(contentsOf: ": ".utf8)
            text.append(contentsOf: value.utf8)
            text.append(contentsOf: "\r\n".utf8)
        }
        text.append(contentsOf: "\r\n".utf8)
        return text
    }

    /// A line break in a field would begin another one; such a field is left out.
    private static func isSafe(_ text: String) -> Bool {
        !text.utf8.contains { $0 == 0x0d || $0 == 0x0a || $0 == 0 }
    }
}
