/// What stands below the headings of a table in Markdown: `|---|:-:|`.
package enum TableRule {
    /// Whether a line is one.
    package static func matches(_ line: some Collection<UInt8>) -> Bool {
        line.contains(UInt8(ascii: "|")) && line.contains(UInt8(ascii: "-"))
            && line.allSatisfy { "|-: \t\r".utf8.contains($0) }
    }
}
