internal import Crypto
internal import EventLoop

/// Makes the ids of everything that is stored or shown. They are unguessable, but no secrets: several a request are
/// made, so random bytes are fetched for hundreds at a time.
@LoopActor
enum Identifier {
    private static let size = 16
    private static var supply: ArraySlice<UInt8> = []

    /// `prefix`, the separator and 32 hexadecimal digits of 128 random bits. Without random bytes from the system,
    /// which does not happen after boot, the digits are missing, and the database refuses the second such id.
    static func make(_ prefix: String, separator: String = "_") -> String {
        prefix + separator + digits()
    }

    /// 32 hexadecimal digits.
    static func digits() -> String {
        if supply.count < size { supply = ((try? Random.bytes(4096)) ?? [])[...] }
        defer { supply = supply.dropFirst(size) }
        return Hex.encode(Array(supply.prefix(size)))
    }
}
