import HTTP
import Testing

@Suite("An event stream")
struct EventStreamParserTests {
    /// The events of `pieces`, each taken as soon as it is there.
    private func events(_ pieces: [[UInt8]], limit: Int = 1 << 20) throws -> [ServerSentEvent] {
        var parser = EventStreamParser(limit: limit)
        var found: [ServerSentEvent] = []
        for piece in pieces {
            parser.append(piece)
            while let event = try parser.next() { found.append(event) }
        }
        return found
    }

    private func events(_ text: String) throws -> [ServerSentEvent] {
        try events([Array(text.utf8)])
    }

    private func event(_ data: String, name: String? = nil) -> ServerSentEvent {
        ServerSentEvent(name: name, data: Array(data.utf8))
    }

    @Test(
        "ends a line at LF, CR LF or CR",
        arguments: ["\n", "\r\n", "\r"])
    func lineEnds(ending: String) throws {
        let text =
            "data: a\(ending)\(ending)event: x\(ending)data:b\(ending)data: c\(ending)\(ending)"
        #expect(try events(text) == [event("a"), event("b\nc", name: "x")])
    }

    @Test("gives the same events wherever it is cut")
    func everySplit() throws {
        let text =
            "\u{FEFF}: hello\r\ndata: one\r\n\r\nid: 7\rretry: 5\revent: ping\rdata\r\rdata:"
            + " two\ndata:three\n\n\n:\ndata:  🙂\u{0}\n\ndatax: no\n\ndata: never"
        let bytes = Array(text.utf8)
        let expected = [
            event("one"), event("", name: "ping"), event("two\nthree"), event(" 🙂\u{0}"),
        ]
        #expect(try events([bytes]) == expected)
        #expect(try events(bytes.map { [$0] }) == expected)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]]
                #expect(try events(pieces.map(Array.init)) == expected, "\(first) \(second)")
            }
        }
    }

    @Test("delivers nothing of an event that no blank line ended")
    func unfinished() throws {
        #expect(try events("data: a").isEmpty)
        #expect(try events("data: a\n").isEmpty)
        #expect(try events("data: a\r\n").isEmpty)
    }

    @Test("strips one byte order mark, at the beginning only")
    func byteOrderMark() throws {
        #expect(try events("\u{FEFF}data: a\n\n") == [event("a")])
        #expect(try events("\u{FEFF}\u{FEFF}data: a\n\n").isEmpty)
        #expect(try events([[0xEF, 0xBB], Array("data: a\n\n".utf8)]).isEmpty)
        #expect(try events("data: \u{FEFF}a\n\n") == [event("\u{FEFF}a")])
    }

    @Test("drops one space after the colon, and no more")
    func spaces() throws {
        #expect(try events("data:a\n\n") == [event("a")])
        #expect(try events("data:  a \n\n") == [event(" a ")])
        #expect(try events(" data: a\n\n").isEmpty)
    }

    @Test("has an event for empty data but none without data")
    func emptyData() throws {
        #expect(try events("data\n\ndata:\ndata:\n\n") == [event(""), event("\n")])
        #expect(try events("event: x\n\ndata: a\n\n") == [event("a")])
        #expect(try events("event: x\nevent:\ndata: a\n\n") == [event("a")])
    }

    @Test("passes invalid UTF-8 on as it came")
    func invalidText() throws {
        let bytes: [UInt8] = Array("data: ".utf8) + [0xFF, 0x00, 0xC3] + [0x0A, 0x0A]
        #expect(try events([bytes]) == [ServerSentEvent(data: [0xFF, 0x00, 0xC3])])
    }

    @Test("refuses a line or event beyond the limit, however it arrives", arguments: [1, 7, 5000])
    func limit(piece: Int) throws {
        func pieces(_ text: String) -> [[UInt8]] {
            let bytes = Array(text.utf8)
            return stride(from: 0, to: bytes.count, by: piece).map {
                Array(bytes[$0..<min($0 + piece, bytes.count)])
            }
        }
        let fits = String(repeating: "x", count: 95)
        #expect(try events(pieces("data:\(fits)\n\n"), limit: 100).count == 1)
        for text in [
            "data:\(fits)x\n\n", ":\(fits)xxxxx", "data:\(fits)\ndata:x\n\n",
            "data:\(fits)\n\(fits)",
        ] {
            #expect(throws: EventStreamError.tooLong(limit: 100)) {
                _ = try events(pieces(text), limit: 100)
            }
        }
    }

    @Test("stays failed")
    func staysFailed() {
        var parser = EventStreamParser(limit: 3)
        parser.append(Array("data: a\n\n".utf8))
        for _ in 0..<2 {
            #expect(throws: EventStreamError.tooLong(limit: 3)) { _ = try parser.next() }
            parser.append(Array("\n\n".utf8))
        }
    }

    @Test("reads endless comments without keeping them")
    func comments() throws {
        let comment = Array(": nothing\n\n".utf8)
        let pieces = Array(repeating: comment, count: 10_000) + [Array("data: a\n\n".utf8)]
        #expect(try events(pieces, limit: 100) == [event("a")])
    }

    @Test("reads a line of a mebibyte that drips in")
    func hugeLine() throws {
        let payload = [UInt8](repeating: 0x61, count: (1 << 20) - 6)
        var bytes = Array("data: ".utf8) + payload + [0x0A, 0x0A]
        var pieces: [[UInt8]] = []
        while !bytes.isEmpty {
            pieces.append(Array(bytes.suffix(97)))
            bytes.removeLast(min(97, bytes.count))
        }
        #expect(try events(pieces.reversed()) == [ServerSentEvent(data: payload)])
    }
}

@Suite("An event")
struct ServerSentEventTests {
    @Test("is framed so that it reads back as it was")
    func roundTrip() throws {
        for text in ["", "{}", "a b", " a", "a\nb", "a\r\nb", "a\rb\n", "\n\n"] {
            var framed: [UInt8] = []
            ServerSentEvent.frame(data: Array(text.utf8), into: &framed)
            var parser = EventStreamParser()
            parser.append(framed)
            let normal = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
            #expect(try parser.next() == ServerSentEvent(data: Array(normal.utf8)))
            #expect(try parser.next() == nil)
        }
    }

    @Test("cannot start a field of its own from its data")
    func injection() throws {
        var framed: [UInt8] = []
        ServerSentEvent.frame(data: Array("{\nevent: evil\rid: 1\n\n}".utf8), into: &framed)
        let lines = String(decoding: framed, as: UTF8.self).split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("data:") })
    }
}

@Suite("Lines")
struct LineParserTests {
    @Test("come out whole, without their ends and without empty ones, wherever they are cut")
    func everySplit() throws {
        let bytes = Array("{\"a\":1}\n\r\n\n{\"b\":\"\r\"}\r\nrest".utf8)
        for cut in 0...bytes.count {
            var parser = LineParser()
            var found: [String] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                parser.append(Array(piece))
                while let line = try parser.next() {
                    found.append(String(decoding: line, as: UTF8.self))
                }
            }
            #expect(found == ["{\"a\":1}", "{\"b\":\"\r\"}"])
            #expect(parser.end() == Array("rest".utf8))
            #expect(parser.end() == nil)
        }
    }

    @Test("are refused beyond the limit")
    func limit() throws {
        var parser = LineParser(limit: 4)
        parser.append(Array("1234\n".utf8))
        #expect(try parser.next() == Array("1234".utf8))
        parser.append(Array("12345".utf8))
        #expect(throws: EventStreamError.tooLong(limit: 4)) { _ = try parser.next() }
        #expect(parser.end() == nil)
    }
}
