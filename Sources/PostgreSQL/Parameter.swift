/// The value of one `$n`. Values travel beside the SQL, never inside it.
///
/// Text, integers, numbers and booleans go in text format, so that the server may take them as any type
/// (`$1::regconfig`); bytes, times and arrays go in binary format and need the matching type.
package enum Parameter: Sendable {
    case null
    /// `text` and whatever the server can read from text. U+0000 is refused (22021).
    case text(String)
    /// As `text`, from bytes that are UTF-8 already.
    case utf8(ArraySlice<UInt8>)
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    /// `bytea`
    case bytes([UInt8])
    /// `timestamptz`
    case timestamp(Timestamp)
    /// `text[]`
    case textArray([String?])
    /// `text[]`, from bytes that are UTF-8 already.
    case utf8Array([ArraySlice<UInt8>?])
    /// `bigint[]`
    case integerArray([Int?])
    /// `boolean[]`
    case booleanArray([Bool?])
    /// `bytea[]`
    case bytesArray([[UInt8]?])
    /// `timestamptz[]`
    case timestampArray([Timestamp?])

    /// `text`, or null for nil.
    package static func optional(_ value: String?) -> Parameter {
        value.map { .text($0) } ?? .null
    }

    /// `bigint`, or null for nil.
    package static func optional(_ value: Int?) -> Parameter {
        value.map { .integer($0) } ?? .null
    }

    /// `bytea`, or null for nil.
    package static func optional(_ value: [UInt8]?) -> Parameter {
        value.map { .bytes($0) } ?? .null
    }

    /// `timestamptz`, or null for nil.
    package static func optional(_ value: Timestamp?) -> Parameter {
        value.map { .timestamp($0) } ?? .null
    }

    /// `text[]`, or null for nil.
    package static func optional(_ value: [String]?) -> Parameter {
        value.map { .textArray($0) } ?? .null
    }
}
