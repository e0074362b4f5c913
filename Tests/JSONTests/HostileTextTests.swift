import FuzzTargets
import JSON
import Testing

@Suite("Hostile JSON")
struct HostileTextTests {
    private static func text(_ count: Int, _ element: (Int) -> String, _ frame: (String, String))
        -> [UInt8]
    {
        var text = frame.0
        for number in 0..<count { text += (number == 0 ? "" : ",") + element(number) }
        return Array((text + frame.1).utf8)
    }

    /// Shapes that grow, each with what it is at its worst: keys that are written with escapes, or end alike.
    private static let shapes: [@Sendable (Int) -> [UInt8]] = [
        { text($0, { "\"key\($0)\":\($0)" }, ("{", "}")) },
        { text($0, { "\"\\u006bey\($0)\":0" }, ("{", "}")) },
        { text($0, { "{\"a\":\($0),\"b\":{}}" }, ("[", "]")) },
        { text($0, { _ in "0" }, ("[", "]")) },
        { text($0, { _ in "\\u0041\\ud83d\\ude00" }, ("[\"", "\"]")) },
        { count in [UInt8](repeating: 0x20, count: 10 * count) + [0x30] },
        { count in [UInt8](repeating: 0x37, count: 10 * count) },
    ]

    @Test("E3: takes a time that grows with its length and no faster", arguments: shapes.indices)
    func linear(_ shape: Int) throws {
        let make = Self.shapes[shape]
        let (short, long) = (make(3_000), make(12_000))
        func time(_ bytes: [UInt8]) throws -> Duration {
            try (0..<3).map { _ in try ProcessorTime.taken { _ = try Document(bytes) } }.min()
                ?? .zero
        }
        let (one, four) = (try time(short), try time(long))
        #expect(four < one * 9 + .milliseconds(10), "\(one) for a quarter of what took \(four)")
    }

    @Test("E3: is refused at its 65th level, however deep it goes", arguments: [65, 1000, 100_000])
    func depth(_ depth: Int) {
        for opening in ["[", "{\"a\":"] {
            let text = Array(String(repeating: opening, count: depth).utf8)
            let error = #expect(throws: ParseError.self) { try Document(text) }
            #expect(error?.cause == .tooDeep && error?.offset == 64 * opening.utf8.count)
        }
    }

    @Test(
        "E3: is refused when it has more than a million values, or an object more than 50,000 members"
    )
    func values() throws {
        let zeros = Self.text(1_000_000, { _ in "0" }, ("[", "]"))
        let values = #expect(throws: ParseError.self) { try Document(zeros) }
        #expect(values?.cause == .tooManyValues)
        let whole = Self.text(50_000, { "\"\($0)\":0" }, ("{", "}"))
        #expect(try Document(Array("[".utf8) + whole + Array("]".utf8)).root[0]?.count == 50_000)
        let members = Self.text(50_001, { "\"\($0)\":0" }, ("{", ""))
        let error = #expect(throws: ParseError.self) { try Document(members) }
        #expect(error?.cause == .tooManyMembers)
        #expect(error?.reason == "an object of more than 50000 members")
    }

    @Test(
        "E3: is refused for a doubled key with the path to it",
        arguments: [
            (#"{"a":1,"a":2}"#, "a"),
            (#"{"messages":[{},{"role":0,"\u0072ole":1}]}"#, "messages[1].role"),
            (#"[[],[{"b":{"c":[0,0,{"d":{"e":1,"x":{},"e":2}}]}}]]"#, "[1][0].b.c[2].d.e"),
            (#"{"":{"":0,"":1}}"#, "."),
            (#"{"x":[[[{"a\"b":[],"a\u0022b":0}]]]}"#, "x[0][0][0].a\"b"),
            (#"{"a":{"b":1},"c":[{"k":1},{"k":2}],"a":3}"#, "a"),
        ])
    func doubled(_ text: String, _ path: String) {
        let error = #expect(throws: ParseError.self) { try Document(Array(text.utf8)) }
        #expect(error?.cause == .duplicateKey)
        #expect(error?.path == path)
    }

    @Test("E3: has numbers of any size and spelling, which stay as they are")
    func numbers() throws {
        let spellings = [
            "1e400", "-1e400", "-0", "-0.0", "1E-400", "0.70", "123456789012345678901234567890",
        ]
        let text = Array("[\(spellings.joined(separator: ","))]".utf8)
        let root = try Document(text).root
        #expect(root.elements.map { String(decoding: $0.bytes, as: UTF8.self) } == spellings)
        #expect(root[0]?.number == nil && root[0]?.integer == nil)
        #expect(root[2]?.integer == 0)
        let long = [UInt8](repeating: 0x37, count: 10 << 20)
        #expect(try Document(Array("[".utf8) + long + Array("]".utf8)).root[0]?.integer == nil)
    }
}
