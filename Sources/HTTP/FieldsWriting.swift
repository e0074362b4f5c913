/// A field that cannot be written without breaking the message around it.
package enum FieldError: Error, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The name is empty or holds something else than the token characters of RFC 9110.
    case name(String)
    /// The value of the field of this name holds CR, LF or NUL.
    case value(String)

    /// Safe for a caller: says nothing of the value.
    package var description: String {
        switch self {
        case .name: "A header field has an invalid name."
        case .value: "A header field has an invalid value."
        }
    }

    /// For the log: names the field, never its value, which may be a secret.
    package var debugDescription: String {
        switch self {
        case .name(let name): "invalid field name \(String(reflecting: name))"
        case .value(let name): "CR, LF or NUL in the value of the field \(name)"
        }
    }
}

extension Fields {
    /// Appends `name: value` and CR LF for each field.
    ///
    /// Throws at the first field whose name is not a token or whose value holds CR, LF or NUL
    /// (RFC 9110, sections 5.1 and 5.5): text from outside cannot add fields or end the head.
    package func write(into output: inout [UInt8]) throws(FieldError) {
        try check()
        for (name, value) in self {
            output += name.utf8
            output += [0x3A, 0x20]
            output += value.utf8
            output += [0x0D, 0x0A]
        }
    }

    /// Throws at the first field that `write(into:)` would refuse.
    package func check() throws(FieldError) {
        for (name, value) in self {
            guard isToken(name) else { throw .name(name) }
            for byte in value.utf8 where byte == 0x0D || byte == 0x0A || byte == 0 {
                throw .value(name)
            }
        }
    }
}

/// Whether `text` is a token (RFC 9110, section 5.6.2), as methods and field names must be.
func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
            default: false
            }
        }
}
