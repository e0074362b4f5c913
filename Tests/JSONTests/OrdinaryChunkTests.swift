import FuzzTargets
import JSON
import Testing

@Suite("Scan of an ordinary chunk")
struct OrdinaryChunkTests {
    private func content(_ bytes: [UInt8]) -> Range<Int>? { OrdinaryChunk(bytes.span)?.content }

    @Test("finds the content of what providers send", arguments: ChunkFixtures.ordinary)
    func ordinary(chunk: String, spelling: String) throws {
        let bytes = Array(chunk.utf8)
        let range = try #require(content(bytes))
        #expect(String(decoding: bytes[range], as: UTF8.self) == spelling)
        agree(bytes)
    }

    @Test("leaves everything unusual to the parser", arguments: ChunkFixtures.unusual)
    func unusual(chunk: String) throws {
        _ = try Document(Array(chunk.utf8))
        #expect(content(Array(chunk.utf8)) == nil)
    }

    @Test("finds the system's fingerprint")
    func fingerprint() throws {
        let found = ChunkFixtures.ordinary.map { chunk, _ in
            let bytes = Array(chunk.utf8)
            return OrdinaryChunk(bytes.span)?.systemFingerprint.map { Array(bytes[$0]) }
        }
        #expect(found == [nil, Array("fp_1".utf8), nil, nil, nil])
    }

    @Test("refuses each member that comes twice")
    func twice() {
        let content = #""content":"x""#
        let choice = "\"index\":0,\"delta\":{\(content)},\"finish_reason\":null,\"logprobs\":null"
        let chunk = "\"id\":\"i\",\"usage\":null,\"choices\":[{\(choice)}]"
        #expect(self.content(Array("{\(chunk)}".utf8)) != nil)
        for twice in [
            content, "\"index\":0", "\"finish_reason\":null", "\"usage\":null", "\"id\":\"i\"",
        ] {
            let doubled = "{\(chunk)}".replacing(twice, with: "\(twice),\(twice)")
            #expect(self.content(Array(doubled.utf8)) == nil)
        }
    }

    @Test("agrees with the parser for every single byte that is changed or cut off")
    func damagedByte() {
        let likely =
            Array(#"{}[]",:\u01x8 null"#.utf8) + [0, 0x0A, 0x1F, 0x7F, 0x80, 0xC3, 0xE4, 0xFF]
        for (chunk, _) in ChunkFixtures.ordinary {
            let whole = Array(chunk.utf8)
            for index in whole.indices {
                agree(Array(whole[..<index]))
                var damaged = whole
                for byte in likely {
                    damaged[index] = byte
                    agree(damaged)
                }
                for bit in 0..<8 {
                    damaged[index] = whole[index] ^ 1 << bit
                    agree(damaged)
                }
            }
        }
    }

    @Test("agrees with the parser on thousands of damaged chunks")
    func damaged() {
        var randomness = Randomness(7)
        for chunk in ChunkFixtures.all {
            for _ in 0..<200 { agree(randomness.damage(Array(chunk.utf8))) }
        }
    }

    /// The same question, answered by the parser.
    private func agree(_ bytes: [UInt8]) {
        let fault = ChunksTarget.fault(in: bytes)
        #expect(fault == nil, "\(String(decoding: bytes, as: UTF8.self)) \(bytes)")
    }
}
