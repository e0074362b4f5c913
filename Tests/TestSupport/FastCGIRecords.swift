/// FastCGI records (specification 1.0, sections 3 to 5) as a web server sends them, built by hand.
package enum FastCGIRecords {
    /// Types of records.
    package enum Kind: UInt8, CaseIterable, Sendable {
        case begin = 1, abort, end, parameters, stdin, stdout, stderr, data, getValues
        case getValuesResult, unknown
    }

    /// One record.
    package static func record(
        _ kind: Kind, _ content: [UInt8] = [], padding: Int = 0, id: UInt16 = 1
    ) -> [UInt8] {
        let length = content.count
        return [
            1, kind.rawValue, UInt8(id >> 8), UInt8(id & 255),
            UInt8(length >> 8), UInt8(length & 255), UInt8(padding), 0,
        ] + content + [UInt8](repeating: 0xAA, count: padding)
    }

    /// `FCGI_BEGIN_REQUEST` for a responder.
    package static func begin(id: UInt16 = 1, role: UInt8 = 1) -> [UInt8] {
        record(.begin, [0, role, 0, 0, 0, 0, 0, 0], id: id)
    }

    /// Name-value pairs, with lengths of four bytes where one is not enough.
    package static func pairs(_ pairs: [(String, String)]) -> [UInt8] {
        func length(_ count: Int) -> [UInt8] {
            guard count > 127 else { return [UInt8(count)] }
            return [
                UInt8(count >> 24 | 128), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
                UInt8(count & 255),
            ]
        }
        return pairs.flatMap { name, value in
            length(name.utf8.count) + length(value.utf8.count) + Array(name.utf8)
                + Array(value.utf8)
        }
    }

    /// A stream: its content in records of at most `size` bytes, then the empty one.
    package static func stream(
        _ kind: Kind, _ content: [UInt8], size: Int = 65_535, padding: Int = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: size) {
            let piece = content[start..<min(content.count, start + size)]
            bytes += record(kind, Array(piece), padding: padding)
        }
        return bytes + record(kind)
    }

    /// A whole request. `CONTENT_LENGTH` is that of the body unless `parameters` name another.
    package static func request(
        _ method: String = "POST", _ target: String = "/", _ parameters: [(String, String)] = [],
        body: [UInt8] = [], padding: Int = 0
    ) -> [UInt8] {
        var all = [("REQUEST_METHOD", method), ("REQUEST_URI", target)]
        if !parameters.contains(where: { $0.0 == "CONTENT_LENGTH" }) {
            all.append(("CONTENT_LENGTH", String(body.count)))
        }
        return begin() + stream(.parameters, pairs(all + parameters), padding: padding)
            + stream(.stdin, body, padding: padding)
    }
}
