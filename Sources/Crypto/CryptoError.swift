/// A failure of libcrypto that no input can cause.
package enum CryptoError: Error, CustomStringConvertible {
    /// `RAND_bytes` has no randomness to give.
    case noRandomness

    /// What failed; holds no data.
    package var description: String { "the operating system gives no random bytes" }
}
