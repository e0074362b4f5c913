/// Why a text is not JSON that we accept, and where.
package struct ParseError: Error, Equatable, Sendable {
    /// What rule the text broke.
    package enum Cause: UInt8, Sendable {
        case empty, byteOrderMark, tooLarge, tooDeep, tooManyValues, tooManyMembers, duplicateKey
        case invalidUTF8, controlCharacter, invalidEscape, unterminatedString, invalidNumber
        case unexpectedCharacter, unexpectedEnd, trailingCharacters
    }

    /// Byte offset into the text, from 0, where the fault was seen.
    package let offset: Int
    /// The rule that was broken.
    package let cause: Cause
    /// Of a doubled key: where it stands, as in `messages[0].role`. Made of the text's own keys.
    package let path: String?
    /// The limit that was passed, for causes that have one.
    let limit: Int

    init(_ cause: Cause, at offset: Int, limit: Int = 0, path: String? = nil) {
        self.offset = offset
        self.cause = cause
        self.limit = limit
        self.path = path
    }

    /// The fault in English; holds nothing of the text itself, so it may be shown to anyone.
    package var reason: String {
        switch cause {
        case .empty: "the text is empty"
        case .byteOrderMark: "the text begins with a byte order mark"
        case .tooLarge: "the text is larger than 4 GiB"
        case .tooDeep: "nested deeper than \(limit)"
        case .tooManyValues: "more than \(limit) values"
        case .tooManyMembers: "an object of more than \(limit) members"
        case .duplicateKey: "duplicate key"
        case .invalidUTF8: "invalid UTF-8"
        case .controlCharacter: "unescaped control character in a string"
        case .invalidEscape: "invalid escape in a string"
        case .unterminatedString: "unterminated string"
        case .invalidNumber: "invalid number"
        case .unexpectedCharacter: "unexpected character"
        case .unexpectedEnd: "unexpected end of the text"
        case .trailingCharacters: "characters after the end of the value"
        }
    }
}

extension ParseError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Reason and offset; safe for a caller.
    package var description: String { "\(reason) at byte \(offset)" }
    /// The same with the name of the rule, for the log.
    package var debugDescription: String { "ParseError.\(cause): \(description)" }
}
