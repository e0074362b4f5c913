import Foundation

/// Inputs in a text file, so that a person can read them and a change shows: a line has a name, a tab, and the bytes.
/// Printable ASCII stands for itself, `\xHH` for a byte, `\\` for a backslash, `\*3(ab)` for `ababab`. Lines that begin
/// with `#` explain.
package struct Corpus: Sendable {
    /// One input.
    package struct Entry: Sendable {
        package let name: String
        package let bytes: [UInt8]
    }

    /// A line that is none.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    package let entries: [Entry]

    /// Reads a file.
    package init(file: String) throws {
        let text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        entries = try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let halves = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let bytes = Self.bytes(halves[1].utf8) else {
                throw Fault(description: "\(file): not an input: \(line.prefix(60))")
            }
            return Entry(name: String(halves[0]), bytes: bytes)
        }
    }

    /// Where the inputs of the targets stand in this source tree.
    package static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Corpus").path

    private static func bytes(_ spelling: Substring.UTF8View) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = spelling[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "*"):
                guard let repeated = repetition(&rest) else { return nil }
                bytes += repeated
            default: return nil
            }
        }
        return bytes
    }

    /// A count and, in parentheses, what is repeated.
    private static func repetition(_ rest: inout Substring.UTF8View) -> [UInt8]? {
        guard let opening = rest.firstIndex(of: UInt8(ascii: "(")),
            let closing = rest[opening...].firstIndex(of: UInt8(ascii: ")")),
            let count = Int(String(decoding: rest[..<opening], as: UTF8.self)),
            let piece = bytes(rest[rest.index(after: opening)..<closing])
        else { return nil }
        rest = rest[rest.index(after: closing)...]
        return Array(repeatElement(piece, count: count).joined())
    }
}
