import Foundation

/// A piece of a reply's body as it arrived: one chunk, where the reply comes in chunks.
package struct WebPiece: Sendable {
    package var bytes: [UInt8]
    /// When its last byte was read (`CLOCK_MONOTONIC`, µs).
    package var arrived: Int64
}

/// Status and fields of a reply.
package struct WebHead: Sendable {
    package var status: Int
    /// As received, in order.
    package var fields: [(name: String, value: String)] = []

    /// The value of the first field of that name, in any case.
    package subscript(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// From the lines of a head.
    init?(_ text: String) {
        let lines = text.components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return nil
        }
        self.status = status
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            fields.append((String(line[..<colon]), value))
        }
    }
}

/// A whole reply.
package struct WebReply: Sendable {
    package var head: WebHead
    package var pieces: [WebPiece]

    package var status: Int { head.status }
    package var body: [UInt8] { pieces.flatMap(\.bytes) }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package var json: Tree { Tree(body) }
    /// The error's members.
    package var error: Tree { json["error"] }
    /// The id under which the gateway's log knows the request.
    package var requestID: String { head["x-request-id"] ?? "none" }

    /// The data of its server-sent events.
    package var events: [WebEvent] {
        var reader = WebEventReader()
        return pieces.flatMap { reader.take($0) }
    }

    /// What the answer says: of a stream or not.
    package var content: String {
        if let whole = json["choices"][0]["message"]["content"].string { return whole }
        return events.compactMap(\.content).joined()
    }

    /// The last event says that the stream is whole.
    package var isDone: Bool { events.last?.data == "[DONE]" }
}

/// One server-sent event.
package struct WebEvent: Sendable {
    package var data: String
    /// When its last byte was read (`CLOCK_MONOTONIC`, µs).
    package var arrived: Int64

    package var json: Tree { Tree(data) }
    /// The text that a chunk adds to choice 0.
    package var content: String? { json["choices"][0]["delta"]["content"].string }
}

/// Cuts events out of pieces. Knows no more of the format than the simplest client does: lines that begin with
/// `data: `.
package struct WebEventReader {
    private var rest: [UInt8] = []
    /// Lines that were neither data nor empty, such as comments.
    package private(set) var others: [String] = []

    package init() {}

    /// The events that a piece completes.
    package mutating func take(_ piece: WebPiece) -> [WebEvent] {
        rest += piece.bytes
        guard let end = rest.lastIndex(of: 0x0a) else { return [] }
        let lines = rest[..<end].split(separator: 0x0a)
        rest.removeSubrange(...end)
        var events: [WebEvent] = []
        for line in lines.map({ String(decoding: $0, as: UTF8.self) }) {
            if line.hasPrefix("data: ") {
                events.append(WebEvent(data: String(line.dropFirst(6)), arrived: piece.arrived))
            } else {
                others.append(line)
            }
        }
        return events
    }
}
