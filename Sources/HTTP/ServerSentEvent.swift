/// One event of an event stream (WHATWG HTML, section 9.2).
package struct ServerSentEvent: Sendable, Equatable {
    /// The value of the `event` field; `nil` if it was absent or empty.
    package var name: String?
    /// The values of the `data` fields, joined by LF. Bytes as received: UTF-8 is not checked.
    package var data: [UInt8]

    /// An event from its parts.
    package init(name: String? = nil, data: [UInt8]) {
        self.name = name
        self.data = data
    }

    /// The comment that keeps a silent stream open.
    package static let keepAlive: [UInt8] = Array(": keep-alive\n\n".utf8)

    /// The event that ends a chat completion's stream.
    package static let done: [UInt8] = Array("data: [DONE]\n\n".utf8)

    /// Appends `data: …` and a blank line to `output`.
    ///
    /// Line ends inside `data` (JSON may have them between its members) become further `data:`
    /// lines, so that text from outside can never start a field of its own.
    package static func frame(data: some Sequence<UInt8>, into output: inout [UInt8]) {
        output += dataField
        let start = output.count
        output += data
        if firstLineEnd(in: output.span, from: start) != nil {
            splitLines(of: &output, from: start)
        }
        output += [0x0A, 0x0A]
    }

    private static let dataField: [UInt8] = Array("data: ".utf8)

    private static func splitLines(of output: inout [UInt8], from start: Int) {
        let data = Array(output[start...])
        output.removeSubrange(start...)
        var previous: UInt8 = 0
        for byte in data {
            if byte == 0x0D || byte == 0x0A && previous != 0x0D {
                output.append(0x0A)
                output += dataField
            } else if byte != 0x0A {
                output.append(byte)
            }
            previous = byte
        }
    }
}
