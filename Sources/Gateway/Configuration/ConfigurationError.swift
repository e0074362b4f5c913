/// Everything that is wrong with a configuration, as far as it could be told at once.
package struct ConfigurationError: Error, Equatable, Sendable {
    /// One fault and its place.
    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// Line, from 1; 0 when no line is to blame.
        package let line: Int
        /// Column, from 1; 0 when no line is to blame.
        package let column: Int
        /// The fault and, where it is plain, the cure. Never a value that may be secret.
        package let message: String

        /// `line:column: message`.
        package var description: String {
            line > 0 ? "\(line):\(column): \(message)" : message
        }
    }

    /// The file that was read.
    package let file: String
    /// In the order of their places; never empty.
    package let problems: [Problem]
}

extension ConfigurationError: CustomStringConvertible, CustomDebugStringConvertible {
    /// One line a problem: `file:line:column: message`.
    package var description: String {
        problems.map { "\(file):\($0.line > 0 ? "" : " ")\($0)" }.joined(separator: "\n")
    }
    /// The same.
    package var debugDescription: String { description }
}
