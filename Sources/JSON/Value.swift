/// JSON that we make: a value to be encoded. It has all literals; a dictionary literal keeps its order.
package enum Value: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// Encoded as the shortest spelling that gives the same double; `null` if not finite.
    case number(Double)
    case string(String)
    case array([Value])
    /// Members in order. Keys are expected to differ; of equal ones the last value counts.
    case object([Member])
    /// JSON already, put in as it is. Whoever makes it vouches for it.
    case verbatim([UInt8])
}

/// One member of an object that we make.
package struct Member: Sendable {
    /// The key, not escaped.
    package var key: String
    /// What it stands for.
    package var value: Value

    /// A member from its key and value.
    package init(_ key: String, _ value: Value) {
        self.key = key
        self.value = value
    }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// `null`.
    package init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// An integer.
    package init(integerLiteral value: Int) { self = .integer(value) }
    /// A number with a fraction.
    package init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    package init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    package init(arrayLiteral elements: Value...) { self = .array(elements) }
    /// An object with its members in the order in which they are written.
    package init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
