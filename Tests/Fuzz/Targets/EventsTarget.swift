import HTTP

/// The reader of event streams against one that was written from the specification's sentences alone. The first byte
/// decides how the stream is cut into pieces.
enum EventsTarget {
    /// Small, so that a short input reaches it.
    private static let limit = 48

    static func fault(in input: [UInt8]) -> String? {
        guard let seed = input.first else { return nil }
        let stream = input.dropFirst()
        let expected = ReferenceEvents.events(Array(stream))
        let (whole, isWhole) = read(stream, in: [stream], limit: 1 << 20)
        guard isWhole else { return "a short stream is refused" }
        guard whole == expected else { return "\(whole) in one piece, \(expected) by the book" }
        var cuts: [ArraySlice<UInt8>] = []
        var pieces = Pieces(stream, seed: seed)
        while let piece = pieces.next() { cuts.append(piece) }
        let (cut, _) = read(stream, in: cuts, limit: 1 << 20)
        guard cut == expected else { return "\(cut) in pieces, \(expected) by the book" }
        let (bounded, isComplete) = read(stream, in: cuts, limit: limit)
        guard isComplete ? bounded == expected : expected.starts(with: bounded) else {
            return "\(bounded) under a limit, \(expected) by the book"
        }
        guard bounded.allSatisfy({ $0.data.count + ($0.name?.utf8.count ?? 0) <= limit }) else {
            return "an event is longer than the limit"
        }
        return nil
    }

    /// The events, and whether the parser went to the end.
    private static func read(
        _ stream: ArraySlice<UInt8>, in pieces: [ArraySlice<UInt8>], limit: Int
    ) -> (events: [ServerSentEvent], isComplete: Bool) {
        var parser = EventStreamParser(limit: limit)
        var events: [ServerSentEvent] = []
        for piece in pieces {
            parser.append(Array(piece))
            do {
                while let event = try parser.next() { events.append(event) }
            } catch {
                return (events, false)
            }
        }
        return (events, true)
    }
}

/// Section 9.2.6 of the HTML standard, sentence by sentence, slow and without pieces.
enum ReferenceEvents {
    static func events(_ stream: [UInt8]) -> [ServerSentEvent] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var events: [ServerSentEvent] = []
        var (data, name, hasData) = ([UInt8](), [UInt8](), false)
        for line in lines(stream.starts(with: mark) ? Array(stream.dropFirst(3)) : stream) {
            if line.isEmpty {
                if hasData {
                    let text = String(decoding: name, as: UTF8.self)
                    events.append(
                        ServerSentEvent(
                            name: name.isEmpty ? nil : text, data: Array(data.dropLast())))
                }
                (data, name, hasData) = ([], [], false)
                continue
            }
            let colon = line.firstIndex(of: UInt8(ascii: ":"))
            let field = line[..<(colon ?? line.endIndex)]
            var value = colon.map { line[($0 + 1)...] } ?? []
            if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
            switch String(decoding: field, as: UTF8.self) {
            case "event": name = Array(value)
            case "data":
                data += value + [0x0A]
                hasData = true
            default: break
            }
        }
        return events
    }

    /// Lines that are ended; what comes after the last end is none.
    private static func lines(_ stream: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        for (index, byte) in stream.enumerated() {
            if byte == 0x0D || byte == 0x0A && (index == 0 || stream[index - 1] != 0x0D) {
                lines.append(line)
                line = []
            } else if byte != 0x0A {
                line.append(byte)
            }
        }
        return lines
    }
}
