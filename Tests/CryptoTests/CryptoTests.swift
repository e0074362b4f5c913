import Crypto
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples.
    @Test(
        "gives the published digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func publishedDigests(message: String, digest: String) {
        #expect(Hex.encode(SHA256.hash(Array(message.utf8))) == digest)
    }

    @Test("gives the same digest for a message in pieces, and begins anew after it")
    func pieces() {
        let hasher = SHA256.Hasher()
        for _ in 0..<1000 { hasher.update([UInt8](repeating: 0x61, count: 1000)) }
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(Hex.encode(hasher.finish()) == million)
        hasher.update(Array("ab".utf8))
        hasher.update([])
        hasher.update(Array("c".utf8))
        #expect(hasher.finish() == SHA256.hash(Array("abc".utf8)))
    }
}

@Suite("HMAC-SHA-256")
struct HMACTests {
    /// RFC 4231, cases 1, 2, 3 and 6.
    @Test(
        "gives the published digests",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ])
    func publishedDigests(key: [UInt8], message: [UInt8], digest: String) {
        #expect(Hex.encode(HMAC.Key(key).sha256(message)) == digest)
    }

    @Test("takes an empty key and an empty message")
    func empty() {
        let digest = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        #expect(Hex.encode(HMAC.Key([]).sha256([])) == digest)
    }
}

@Suite("Random bytes and comparison")
struct RandomTests {
    @Test("come in the asked number and differ each time")
    func differ() throws {
        #expect(try Random.bytes(0).isEmpty)
        #expect(try Random.bytes(32).count == 32)
        #expect(try Random.bytes(32) != Random.bytes(32))
    }

    @Test("are equal only if length and all bytes are")
    func comparison() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
    }
}

@Suite("Checksum and digits")
struct DigitsTests {
    @Test("the checksum is zlib's")
    func checksum() {
        #expect(CRC32.checksum([]) == 0)
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        let fox = "The quick brown fox jumps over the lazy dog"
        #expect(CRC32.checksum(Array(fox.utf8)) == 0x414F_A339)
    }

    @Test("base 62 has the asked width and holds the largest numbers")
    func base62() {
        #expect(Base62.encode([], width: 3) == "000")
        #expect(Base62.encode([61], width: 2) == "0z")
        #expect(Base62.encode([62], width: 2) == "10")
        #expect(Base62.encode([1, 0], width: 3) == "048")
        #expect(Base62.encode(UInt32.max) == "4gfFC3")
        let largest = Base62.encode([UInt8](repeating: 255, count: 32), width: 43)
        #expect(largest == "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1")
        #expect(Base62.accepts(Array("azAZ09".utf8)) && !Base62.accepts(Array("a_".utf8)))
    }

    @Test("hexadecimal digits go there and back")
    func hex() {
        #expect(Hex.encode([0, 15, 255]) == "000fff")
        #expect(Hex.decode("000fFF") == [0, 15, 255])
        #expect(Hex.decode("") == [])
        #expect(Hex.decode("0") == nil && Hex.decode("0g") == nil && Hex.decode("\u{10}0") == nil)
    }
}
