import Crypto
import Testing

@testable import Gateway

@Suite("The spelling of API tokens")
struct TokenFormatTests {
    private static let digits = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    @Test(
        "accepts tokens whose checksum another program computed",
        arguments: [
            "archi_00000000000000000000000000000000000000000002CZclj",
            "archi_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0UsatS",
            "archi_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13sRzl1",
            "archi_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Yo7hP",
        ])
    func vectors(_ token: String) {
        #expect(TokenFormat.accepts(token))
    }

    @Test("mints what it accepts, never the same twice")
    func minting() throws {
        let tokens = try (0..<200).map { _ in try TokenFormat.mint() }
        #expect(Set(tokens).count == tokens.count)
        for token in tokens {
            #expect(TokenFormat.accepts(token))
            #expect(token.count == 6 + 43 + 6)
        }
    }

    @Test("refuses every typing fault of one character, and every exchange of neighbours")
    func typos() throws {
        let token = Array(try TokenFormat.mint())
        for place in token.indices {
            for digit in Self.digits + ["_", "-", " ", "é"] where digit != token[place] {
                var wrong = token
                wrong[place] = digit
                #expect(!TokenFormat.accepts(String(wrong)))
            }
            var shorter = token
            shorter.remove(at: place)
            #expect(!TokenFormat.accepts(String(shorter)))
            var longer = token
            longer.insert("0", at: place)
            #expect(!TokenFormat.accepts(String(longer)))
            guard place + 1 < token.count, token[place] != token[place + 1] else { continue }
            var exchanged = token
            exchanged.swapAt(place, place + 1)
            #expect(!TokenFormat.accepts(String(exchanged)))
        }
    }

    @Test("refuses what is no token at all")
    func nonsense() throws {
        let token = try TokenFormat.mint()
        let wrong = [
            "", "archi_", token + "\n", " " + token, token.uppercased(), "sk-" + token,
            String(token.dropFirst(6)), String(repeating: "0", count: 55),
            "archi_" + String(repeating: "é", count: 49),
            "archi_" + String(repeating: "\0", count: 49),
            "archi_\u{301}" + token.dropFirst(8), String(repeating: "a", count: 1_000_000),
        ]
        for text in wrong { #expect(!TokenFormat.accepts(text)) }
    }

    @Test("stores a token as its HMAC-SHA-256 under the pepper")
    func digest() {
        let token = "archi_00000000000000000000000000000000000000000002CZclj"
        let digest = TokenFormat.digest(
            token, pepper: HMAC.Key(Array("pepper-pepper-pepper-pepper-pepper!".utf8)))
        #expect(
            Hex.encode(digest)
                == "bc87d122c17cd09c8bc73bcb3258c112d23f4ef6b36f907e9bb028de7a6f889d")
        let other = TokenFormat.digest(token, pepper: HMAC.Key(Array("another pepper".utf8)))
        #expect(other != digest)
    }
}
