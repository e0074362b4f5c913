import COpenSSL

/// Keyed digest (RFC 2104).
package enum HMAC {
    /// HMAC-SHA-256 of a message, 32 bytes, under a key of any length: `HMAC`.
    package static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256.size)
        let result = unsafe COpenSSL.HMAC(
            EVP_sha256(), key, Int32(key.count), message, message.count, &digest, nil)
        unsafe precondition(result != nil, "libcrypto cannot compute HMAC-SHA-256")
        return digest
    }
}
