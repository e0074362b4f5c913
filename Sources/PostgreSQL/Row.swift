/// One row of a result: fields by position, in binary format, copied out of libpq's memory.
///
/// Every accessor checks the column's type and throws `DatabaseError` (42804) for another one, for a
/// column that is not there, and (the non-optional ones) for null (22004).
package struct Row: Sendable {
    /// The whole result, shared by its rows.
    final class Table: Sendable {
        let types: [UInt32]
        let bytes: [UInt8]
        /// `rows × columns` ends of fields in `bytes`; the start is the end before; `-1` is null.
        let ends: [Int]
        let starts: [Int]

        init(types: [UInt32], bytes: [UInt8], starts: [Int], ends: [Int]) {
            self.types = types
            self.bytes = bytes
            self.starts = starts
            self.ends = ends
        }
    }

    let table: Table
    let index: Int

    /// Number of columns.
    package var count: Int { table.types.count }

    /// Is the field null (or not there)?
    package func isNull(_ column: Int) -> Bool {
        guard table.types.indices.contains(column) else { return true }
        return table.ends[index * count + column] < 0
    }

    /// A `text`, `varchar`, `name` or `json` column.
    package func text(_ column: Int) throws(DatabaseError) -> String {
        try required(optionalText(column), column)
    }

    /// A `text`, `varchar`, `name` or `json` column, nil for null.
    package func optionalText(_ column: Int) throws(DatabaseError) -> String? {
        try field(column, Self.textTypes).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A text column as its UTF-8 bytes.
    package func utf8(_ column: Int) throws(DatabaseError) -> [UInt8] {
        Array(try required(field(column, Self.textTypes), column))
    }

    /// text, varchar, name, json, bpchar, unknown
    private static let textTypes: [UInt32] = [25, 1043, 19, 114, 1042, 705]

    /// A `smallint`, `integer`, `bigint` or `oid` column. (`sum(bigint)` is `numeric`: cast it in SQL.)
    package func integer(_ column: Int) throws(DatabaseError) -> Int {
        try required(optionalInteger(column), column)
    }

    /// A `smallint`, `integer`, `bigint` or `oid` column, nil for null.
    package func optionalInteger(_ column: Int) throws(DatabaseError) -> Int? {
        guard let bytes = try field(column, [20, 21, 23, 26]) else { return nil }
        return switch bytes.count {
        case 2: Int(Int16(truncatingIfNeeded: bytes.bigEndian))
        case 4: Int(Int32(truncatingIfNeeded: bytes.bigEndian))
        default: Int(bytes.bigEndian)
        }
    }

    /// A `real` or `double precision` column.
    package func number(_ column: Int) throws(DatabaseError) -> Double {
        let bytes = try required(field(column, [700, 701]), column)
        return bytes.count == 4
            ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bytes.bigEndian)))
            : Double(bitPattern: UInt64(bitPattern: bytes.bigEndian))
    }

    /// A `boolean` column.
    package func boolean(_ column: Int) throws(DatabaseError) -> Bool {
        try required(field(column, [16]), column).first == 1
    }

    /// A `bytea` column.
    package func bytes(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try required(optionalBytes(column), column)
    }

    /// A `bytea` column, nil for null.
    package func optionalBytes(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        try field(column, [17]).map { Array($0) }
    }

    /// A `timestamptz` column.
    package func timestamp(_ column: Int) throws(DatabaseError) -> Timestamp {
        try required(optionalTimestamp(column), column)
    }

    /// A `timestamptz` column, nil for null.
    package func optionalTimestamp(_ column: Int) throws(DatabaseError) -> Timestamp? {
        try field(column, [1184]).map { Timestamp(serverValue: $0.bigEndian) }
    }

    /// A `text[]` column; null elements are left out.
    package func textArray(_ column: Int) throws(DatabaseError) -> [String] {
        try required(optionalTextArray(column), column)
    }

    /// A `text[]` column, nil for null; null elements are left out.
    package func optionalTextArray(_ column: Int) throws(DatabaseError) -> [String]? {
        guard let bytes = try field(column, [1009, 1015]) else { return nil }
        return try elements(bytes).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A `bytea[]` column; null elements are left out.
    package func bytesArray(_ column: Int) throws(DatabaseError) -> [[UInt8]] {
        try elements(required(field(column, [1001]), column)).map { Array($0) }
    }

    private func field(
        _ column: Int, _ types: [UInt32]
    ) throws(DatabaseError) -> ArraySlice<UInt8>? {
        guard table.types.indices.contains(column), types.contains(table.types[column]) else {
            throw .refused("42804", "column \(column) of the result is absent or has another type")
        }
        let position = index * count + column
        let end = table.ends[position]
        return end < 0 ? nil : table.bytes[table.starts[position]..<end]
    }

    private func required<Value>(_ value: Value?, _ column: Int) throws(DatabaseError) -> Value {
        guard let value else { throw .refused("22004", "column \(column) of the result is null") }
        return value
    }

    /// The elements of a one-dimensional array in binary form, as `ParameterBuffer` writes it.
    private func elements(
        _ bytes: ArraySlice<UInt8>
    ) throws(DatabaseError) -> [ArraySlice<UInt8>] {
        guard bytes.prefix(4).bigEndian > 0 else { return [] }
        var rest = bytes.dropFirst(12)
        let count = rest.prefix(4).bigEndian
        rest = rest.dropFirst(8)
        var result: [ArraySlice<UInt8>] = []
        for _ in 0..<max(0, count) {
            guard rest.count >= 4 else { throw .refused("42804", "an array is cut short") }
            let length = Int(Int32(truncatingIfNeeded: rest.prefix(4).bigEndian))
            rest = rest.dropFirst(4)
            guard length >= 0 else { continue }
            result.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return result
    }
}

extension ArraySlice<UInt8> {
    /// Up to eight bytes as an integer, most significant first.
    var bigEndian: Int64 {
        reduce(0) { $0 << 8 | Int64($1) }
    }
}
