import FuzzTargets
import JSON
import Testing

/// Jansson's decoder as a second opinion on our parser.
@Suite("JSON parser and jansson")
struct JanssonTests {
    private func agree(_ bytes: [UInt8]) -> Bool { JanssonOpinion.agrees(on: bytes) }

    @Test("agree on every fixture")
    func fixtures() {
        for text in Fixtures.accepted { #expect(agree(Array(text.utf8)), "\(text.prefix(60))") }
        for fixture in Fixtures.refused where ![.tooDeep].contains(fixture.cause) {
            #expect(agree(fixture.text), "\(fixture.text.prefix(60))")
        }
    }

    @Test("agree on thousands of damaged texts")
    func damaged() {
        var randomness = Randomness(2026)
        let seeds = Fixtures.accepted.filter { $0.utf8.count < 200 }.map { Array($0.utf8) }
        for seed in seeds + ChunkFixtures.all.map({ Array($0.utf8) }) {
            for _ in 0..<150 {
                let damaged = randomness.damage(seed)
                let agrees = agree(damaged)
                #expect(agrees, "\(String(decoding: damaged, as: UTF8.self)) \(damaged)")
            }
        }
    }

    @Test("agree on what jansson encodes")
    func encoded() {
        let value: Value = ["a": ["\u{0}é\u{1F600}", 1, true, nil], "b\"": [:], "c": []]
        #expect(agree(value.encoded()))
    }
}
