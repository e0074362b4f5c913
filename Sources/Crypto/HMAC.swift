import COpenSSL

/// Keyed digest (RFC 2104).
package enum HMAC {
    /// A key that digests many messages: `EVP_MAC`, told its algorithm and key once.
    @safe package final class Key {
        /// Freed in `deinit`.
        private let context: OpaquePointer?

        /// A key of any length.
        package init(_ key: [UInt8]) {
            let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
            unsafe context = EVP_MAC_CTX_new(algorithm)
            unsafe EVP_MAC_free(algorithm)
            unsafe check(archway_hmac_sha256_init(context, key, key.count))
        }

        deinit { unsafe EVP_MAC_CTX_free(context) }

        /// The HMAC-SHA-256 of a message, 32 bytes.
        package func sha256(_ message: [UInt8]) -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: SHA256.size)
            var length = 0
            // Without a key it begins anew under the one it has.
            unsafe check(EVP_MAC_init(context, nil, 0, nil))
            unsafe check(EVP_MAC_update(context, message, message.count))
            unsafe check(EVP_MAC_final(context, &digest, &length, digest.count))
            return digest
        }

        private func check(_ result: Int32) {
            precondition(result == 1, "libcrypto cannot compute HMAC-SHA-256")
        }
    }
}
