import HTTP
import Testing

/// The specification (WHATWG HTML, 9.2.6) word by word over a whole stream, with nothing for speed or memory.
private func reference(_ stream: [UInt8]) -> [ServerSentEvent] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var rest = stream.starts(with: mark) ? stream.dropFirst(3) : stream[...]
    var lines: [[UInt8]] = []
    while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
        lines.append(Array(rest[..<end]))
        rest = rest[(end + 1)...]
        if stream[end] == 0x0D, rest.first == 0x0A { rest = rest.dropFirst() }
    }
    var events: [ServerSentEvent] = []
    var (name, data): (String?, [UInt8]) = (nil, [])
    for line in lines {
        guard !line.isEmpty else {
            if !data.isEmpty { events.append(ServerSentEvent(name: name, data: data.dropLast())) }
            (name, data) = (nil, [])
            continue
        }
        let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
        case "data": data += value + [0x0A]
        default: break
        }
    }
    return events
}

/// The events of a stream that comes in pieces, each taken as soon as it is there.
private func events(_ pieces: [[UInt8]]) throws -> [ServerSentEvent] {
    var parser = EventStreamParser()
    var found: [ServerSentEvent] = []
    for piece in pieces {
        parser.append(piece)
        while let event = try parser.next() { found.append(event) }
    }
    return found
}

/// A stream, cut before each byte whose bit is set.
private func cut(_ stream: [UInt8], before bits: UInt64) -> [[UInt8]] {
    var pieces: [[UInt8]] = [[]]
    for (place, byte) in stream.enumerated() {
        if bits >> (place % 64) & 1 == 1 { pieces.append([]) }
        pieces[pieces.count - 1].append(byte)
    }
    return pieces
}

@Suite("An event stream, as the specification reads it")
struct EventStreamReferenceTests {
    private static let tokens: [[UInt8]] =
        ["\n", "\r", "\r\n", "data", "data:", "event: x", ":", " ", "x", "\u{FEFF}"]
        .map { Array($0.utf8) }

    @Test("E5: has the same events wherever it is cut, for every splitting of short streams")
    func everySplitting() throws {
        for text in [
            "data:a\n\n", "data\r\r\n", ":\rdata:\n\r", "\u{FEFF}data:\r\r", "data:x\r\n\r\n\n",
            "data:\ndata\n\n", "event:e\rdata\r\r", "\u{FEFF}\u{FEFF}data\n\n",
            ":\n:\r\ndata:🙂\n\r\n",
        ] {
            let stream = Array(text.utf8)
            let expected = reference(stream)
            for bits in 0..<(UInt64(1) << stream.count) {
                let found = try events(cut(stream, before: bits))
                if found != expected { Issue.record("\(stream) cut \(bits): \(found)") }
            }
        }
    }

    @Test("E5: has the same events for every short row of line ends, fields, comments and marks")
    func everyRow() throws {
        var seen = 0
        for length in 0...5 {
            var count = 1
            for _ in 0..<length { count *= Self.tokens.count }
            for number in 0..<count where length < 5 || number % 7 == 3 {
                var rest = number
                var stream: [UInt8] = []
                for _ in 0..<length {
                    stream += Self.tokens[rest % Self.tokens.count]
                    rest /= Self.tokens.count
                }
                stream += Array("\ndata:z\n\n".utf8)
                let expected = reference(stream)
                seen += expected.count
                for bits in [0, UInt64.max] {
                    let found = try events(cut(stream, before: bits))
                    if found != expected { Issue.record("\(stream) cut \(bits): \(found)") }
                }
            }
        }
        #expect(seen > 20_000)
    }

    @Test("E5: has the same events for long random streams, randomly cut")
    func random() throws {
        var dice = SystemRandomNumberGenerator()
        for _ in 0..<1500 {
            var stream: [UInt8] = []
            for _ in 0..<Int.random(in: 1...60, using: &dice) {
                stream += Self.tokens.randomElement(using: &dice) ?? []
                if Int.random(in: 0..<9) == 0 { stream.append(UInt8.random(in: 0...255)) }
            }
            let expected = reference(stream)
            for _ in 0..<8 {
                let bits = UInt64.random(in: 0...UInt64.max, using: &dice)
                let sparse = bits & UInt64.random(in: 0...UInt64.max, using: &dice)
                for bits in [bits, sparse] {
                    let found = try events(cut(stream, before: bits))
                    if found != expected { Issue.record("\(stream) cut \(bits): \(found)") }
                }
            }
        }
    }
}
