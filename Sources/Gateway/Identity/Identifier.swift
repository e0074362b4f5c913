internal import Crypto

/// Makes the ids of everything that is stored or shown.
enum Identifier {
    /// `prefix`, the separator and 32 hexadecimal digits of 128 random bits. Without random bytes from the system, which
    /// does not happen after boot, the program could not mint tokens either; the id is then empty after the separator, and the
    /// database refuses it as a duplicate.
    static func make(_ prefix: String, separator: String = "_") -> String {
        prefix + separator + Hex.encode((try? Random.bytes(16)) ?? [])
    }
}
