import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL's EVP.
package enum SHA256 {
    /// Length of a digest in bytes.
    package static let size = 32

    /// The digest of a whole message: `EVP_Digest`.
    package static func hash(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        check(
            unsafe EVP_Digest(message, message.count, &digest, nil, EVP_sha256(), nil))
        return digest
    }

    /// The digest of a message that comes in pieces.
    @safe package final class Hasher {
        /// `EVP_MD_CTX_new`; freed in `deinit`.
        private let context = unsafe EVP_MD_CTX_new()

        /// Begins an empty message: `EVP_DigestInit_ex`.
        package init() { unsafe check(EVP_DigestInit_ex(context, EVP_sha256(), nil)) }

        deinit { unsafe EVP_MD_CTX_free(context) }

        /// Adds a piece to the message: `EVP_DigestUpdate`.
        package func update(_ piece: [UInt8]) {
            unsafe check(EVP_DigestUpdate(context, piece, piece.count))
        }

        /// Adds a piece to the message: `EVP_DigestUpdate`.
        package func update(_ piece: Span<UInt8>) {
            unsafe piece.withUnsafeBufferPointer {
                unsafe check(EVP_DigestUpdate(context, $0.baseAddress, $0.count))
            }
        }

        /// The digest of all pieces: `EVP_DigestFinal_ex`. The hasher then begins a new message.
        package func finish() -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: size)
            unsafe check(EVP_DigestFinal_ex(context, &digest, nil))
            unsafe check(EVP_DigestInit_ex(context, EVP_sha256(), nil))
            return digest
        }
    }

    /// Digests fail only without memory or without OpenSSL's default provider. Nothing may be signed or
    /// compared then.
    private static func check(_ result: Int32) {
        precondition(result == 1, "libcrypto cannot compute SHA-256")
    }
}
