internal import Crypto

/// The spelling of an API token: `archi_`, 43 base62 characters of 256 random bits, and 6 of their CRC-32, so that a
/// mistyped or invented token is refused without a question to the database.
enum TokenFormat {
    static let prefix = "archi_"
    private static let randomWidth = 43
    private static let checksumWidth = 6

    /// A new token. Throws when the system gives no random bytes.
    static func mint() throws(CryptoError) -> String {
        let random = Base62.encode(try Random.bytes(32), width: randomWidth)
        return prefix + random + checksum(Array(random.utf8))
    }

    /// True when prefix, length, alphabet and checksum are right.
    static func accepts(_ token: String) -> Bool {
        guard token.hasPrefix(prefix), token.utf8.count == prefix.utf8.count + 49 else {
            return false
        }
        let body = Array(token.utf8.dropFirst(prefix.utf8.count))
        return Base62.accepts(body)
            && constantTimeEqual(
                Array(body.suffix(checksumWidth)),
                Array(checksum(Array(body.prefix(randomWidth))).utf8))
    }

    /// The HMAC-SHA-256 under which a token is stored.
    static func digest(_ token: String, pepper: HMAC.Key) -> [UInt8] {
        pepper.sha256(Array(token.utf8))
    }

    private static func checksum(_ random: [UInt8]) -> String {
        Base62.encode(CRC32.checksum(random))
    }
}

extension Configuration {
    /// The pepper, ready to digest tokens.
    var pepperKey: HMAC.Key { HMAC.Key(Array(pepper.exposed.utf8)) }
}
