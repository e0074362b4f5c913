import Foundation
import Testing

/// `Docs/reliability.md` and the tests that are named after its rows say the same.
@Suite("Documentation of reliability")
struct ReliabilityDocumentationTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A row of the page, and a file of tests that shows it.
    private struct Entry: Hashable, CustomStringConvertible {
        let row: String
        let file: String
        var description: String { "\(row) in \(file)" }
    }

    /// Lines of the form "| A1 | fault | promise | figure | `Folder/File.swift`, `Folder/Other.swift` |".
    private static func described() throws -> [Entry] {
        let page = try String(
            contentsOf: root.appending(path: "Docs/reliability.md"), encoding: .utf8)
        return page.split(separator: "\n").flatMap { line -> [Entry] in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 5, cells[0].wholeMatch(of: #/[A-F][0-9]+/#) != nil else {
                return []
            }
            return cells[4].matches(of: #/`([^`]+\.swift)`/#)
                .map { Entry(row: cells[0], file: String($0.output.1)) }
        }
    }

    /// Tests whose names begin with a row and a colon, or with several rows and commas between.
    private static func shown() throws -> Set<Entry> {
        let tests = root.appending(path: "Tests")
        var entries: Set<Entry> = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: tests.path)
        where name.hasSuffix(".swift") {
            let source = try String(contentsOf: tests.appending(path: name), encoding: .utf8)
            for match in source.matches(of: #/"([A-F][0-9]+(?:, [A-F][0-9]+)*): /#) {
                for row in match.output.1.split(separator: ", ") {
                    entries.insert(Entry(row: String(row), file: name))
                }
            }
        }
        return entries
    }

    @Test("has every row of the fault tables, also those that cannot be shown")
    func rowsAreComplete() throws {
        let page = try String(
            contentsOf: Self.root.appending(path: "Docs/reliability.md"), encoding: .utf8)
        let counts = [("A", 11), ("B", 22), ("C", 10), ("D", 7), ("E", 8), ("F", 3)]
        for (table, count) in counts {
            for number in 1...count {
                #expect(page.contains("\n| \(table)\(number) | "), "\(table)\(number)")
            }
        }
    }

    @Test("names for every row the files with its tests, and no other")
    func rowsAreShown() throws {
        let described = try Self.described()
        let shown = try Self.shown()
        #expect(described.count == Set(described).count)
        #expect(Set(described).subtracting(shown).isEmpty)
        #expect(shown.subtracting(described).isEmpty)
    }
}
