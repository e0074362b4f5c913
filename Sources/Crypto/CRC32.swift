/// CRC-32 as in IEEE 802.3 and zlib. It finds typing faults; it protects nothing.
package enum CRC32 {
    /// The checksum of some bytes; 0 for none.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let table = table
        return ~bytes.reduce(0xFFFF_FFFF) { crc, byte in
            table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1
        }
    }
}
