/// Why a text is not YAML that we accept, and where.
package struct YAMLError: Error, Equatable, Sendable {
    /// Line, from 1.
    package let line: Int
    /// Column in characters, from 1.
    package let column: Int
    /// The fault in English.
    package let reason: String

    /// A fault at a place.
    package init(line: Int, column: Int, reason: String) {
        self.line = line
        self.column = column
        self.reason = reason
    }
}

extension YAMLError: CustomStringConvertible, CustomDebugStringConvertible {
    /// `line:column: reason`. Holds nothing of the text.
    package var description: String { "\(line):\(column): \(reason)" }
    /// The same.
    package var debugDescription: String { "YAMLError \(description)" }
}
