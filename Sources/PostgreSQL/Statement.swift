/// One SQL statement with its parameters as `$1`, `$2`, …
///
/// The text is a `StaticString`, so that no value can ever be spliced into it. Every connection
/// prepares the statement once, on first use, under its name.
package struct Statement: Sendable {
    /// Unique among all statements of the process; seen in the log.
    package let name: String
    /// UTF-8, `$n` for parameters, one statement.
    package let sql: StaticString

    /// A statement; `name` must be unique, `sql` must be a literal.
    package init(_ name: StaticString, _ sql: StaticString) {
        self.name = "\(name)"
        self.sql = sql
    }
}
