internal import Crypto

/// How a record lies in a spool file: eight hexadecimal digits of its length in bytes, eight of its CRC-32, eight of
/// the CRC-32 of those sixteen, the record, a line feed. What a crash cut off is told from what was changed.
enum SpoolFrame {
    private static let headLength = 24

    /// The frame of a record, or nil for one of 4 GiB.
    static func encode(_ record: [UInt8]) -> [UInt8]? {
        guard let length = UInt32(exactly: record.count) else { return nil }
        var frame: [UInt8] = []
        frame.reserveCapacity(headLength + record.count + 1)
        frame += Hex.encode(bytes(of: length)).utf8
        frame += Hex.encode(bytes(of: CRC32.checksum(record))).utf8
        frame += Hex.encode(bytes(of: CRC32.checksum(frame))).utf8
        frame += record
        frame.append(UInt8(ascii: "\n"))
        return frame
    }

    /// What stands at the beginning of some bytes.
    enum Found: Equatable {
        /// A record, and the length of its frame.
        case record([UInt8], length: Int)
        /// The beginning of a frame.
        case part
        /// No frame, or one whose record was changed.
        case damage
    }

    static func decode(_ bytes: ArraySlice<UInt8>) -> Found {
        guard let length = frameLength(bytes) else {
            return bytes.count < headLength ? .part : .damage
        }
        guard bytes.count >= length else { return .part }
        let frame = bytes.prefix(length)
        let record = Array(frame.dropFirst(headLength).dropLast())
        let checksum = number(frame.dropFirst(8).prefix(8))
        guard frame.last == UInt8(ascii: "\n"), checksum == CRC32.checksum(record) else {
            return .damage
        }
        return .record(record, length: length)
    }

    /// The length of the frame that begins here; nil while its head is not whole, or is none.
    static func frameLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= headLength, let length = number(bytes.prefix(8)),
            number(bytes.dropFirst(16).prefix(8)) == CRC32.checksum(Array(bytes.prefix(16)))
        else { return nil }
        return headLength + Int(length) + 1
    }

    private static func bytes(of number: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
        Hex.decode(String(decoding: digits, as: UTF8.self))?.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
