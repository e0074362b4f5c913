import COpenSSL

/// Random bytes that nobody can foretell.
package enum Random {
    /// So many bytes, fit for keys and tokens: `RAND_bytes`.
    package static func bytes(_ count: Int) throws(CryptoError) -> [UInt8] {
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else { throw .noRandomness }
        return bytes
    }
}

/// Whether two secrets are equal, in a time that tells nothing of where they differ: `CRYPTO_memcmp`.
/// Their lengths may be told.
package func constantTimeEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
}
