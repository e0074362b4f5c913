/// All parameters of one statement, encoded one behind the other, as `PQsendQueryPrepared` reads them.
struct ParameterBuffer {
    /// Type numbers of `pg_type`, fixed since the first release.
    enum TypeNumber {
        static let boolean: UInt32 = 16
        static let bytes: UInt32 = 17
        static let integer: UInt32 = 20
        static let text: UInt32 = 25
        static let timestamp: UInt32 = 1184
    }

    /// Every text value ends with a NUL here, because C reads it.
    private(set) var bytes: [UInt8] = []
    /// Where each value starts; nil is SQL null.
    private(set) var starts: [Int?] = []
    private(set) var lengths: [Int32] = []
    /// 0 text, 1 binary.
    private(set) var formats: [Int32] = []

    init(_ parameters: [Parameter]) throws(DatabaseError) {
        starts.reserveCapacity(parameters.count)
        lengths.reserveCapacity(parameters.count)
        formats.reserveCapacity(parameters.count)
        bytes.reserveCapacity(parameters.reduce(1) { $0 + $1.size })
        for parameter in parameters { try append(parameter) }
        bytes.append(0)  // an empty last value still has an address
    }

    private mutating func append(_ parameter: Parameter) throws(DatabaseError) {
        switch parameter {
        case .null:
            starts.append(nil)
            lengths.append(0)
            formats.append(0)
        case .text(let value): try text(value.utf8)
        case .utf8(let value): try text(value)
        case .integer(let value): try text(String(value).utf8)
        case .number(let value): try text("\(value)".utf8)
        case .boolean(let value): try text((value ? "t" : "f").utf8)
        case .bytes(let value): binary { $0 += value }
        case .timestamp(let value): binary { $0.append(bigEndian: value.serverValue) }
        case .textArray(let values): array(values, TypeNumber.text) { $0 += $1.utf8 }
        case .utf8Array(let values): array(values, TypeNumber.text) { $0 += $1 }
        case .integerArray(let values):
            array(values, TypeNumber.integer) { $0.append(bigEndian: Int64($1)) }
        case .booleanArray(let values): array(values, TypeNumber.boolean) { $0.append($1 ? 1 : 0) }
        case .bytesArray(let values): array(values, TypeNumber.bytes) { $0 += $1 }
        case .timestampArray(let values):
            array(values, TypeNumber.timestamp) { $0.append(bigEndian: $1.serverValue) }
        }
    }

    private mutating func text(_ value: some Sequence<UInt8>) throws(DatabaseError) {
        starts.append(bytes.count)
        lengths.append(0)  // ignored by libpq for text
        formats.append(0)
        let start = bytes.count
        bytes += value
        // C would stop at the NUL and store half of the text without a word.
        if bytes[start...].contains(0) {
            throw .refused("22021", "a text parameter holds U+0000")
        }
        bytes.append(0)
    }

    private mutating func binary(_ encode: (inout [UInt8]) -> Void) {
        let start = bytes.count
        encode(&bytes)
        starts.append(start)
        lengths.append(Int32(clamping: bytes.count - start))
        formats.append(1)
    }

    /// The binary form of a one-dimensional array (`array_send`): dimensions, has-nulls, element type,
    /// count, lower bound, then length and bytes of each element.
    private mutating func array<Element>(
        _ values: [Element?], _ type: UInt32, _ encode: (inout [UInt8], Element) -> Void
    ) {
        binary { bytes in
            bytes.append(bigEndian: Int32(values.isEmpty ? 0 : 1))
            bytes.append(bigEndian: Int32(values.contains { $0 == nil } ? 1 : 0))
            bytes.append(bigEndian: type)
            guard !values.isEmpty else { return }
            bytes.append(bigEndian: Int32(clamping: values.count))
            bytes.append(bigEndian: Int32(1))
            for value in values {
                guard let value else {
                    bytes.append(bigEndian: Int32(-1))
                    continue
                }
                let length = bytes.count
                bytes.append(bigEndian: Int32(0))
                encode(&bytes, value)
                bytes.replace(bigEndian: Int32(clamping: bytes.count - length - 4), at: length)
            }
        }
    }
}

extension Parameter {
    /// Bytes that it takes in the buffer, nearly: a long history shall not be copied while it is being encoded.
    fileprivate var size: Int {
        switch self {
        case .null, .integer, .number, .boolean, .timestamp: 32
        case .text(let value): value.utf8.count + 1
        case .utf8(let value): value.count + 1
        case .bytes(let value): value.count
        case .textArray(let values): values.reduce(20) { $0 + 4 + ($1?.utf8.count ?? 0) }
        case .utf8Array(let values): values.reduce(20) { $0 + 4 + ($1?.count ?? 0) }
        case .bytesArray(let values): values.reduce(20) { $0 + 4 + ($1?.count ?? 0) }
        case .integerArray(let values): 20 + 12 * values.count
        case .booleanArray(let values): 20 + 5 * values.count
        case .timestampArray(let values): 20 + 12 * values.count
        }
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func replace(bigEndian value: Int32, at start: Int) {
        for offset in 0..<4 {
            self[start + offset] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * offset))
        }
    }
}
