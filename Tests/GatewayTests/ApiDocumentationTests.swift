import Foundation
import HTTP
import Testing

@testable import Gateway

/// `Docs/api.md` and the table of routes say the same.
@Suite("Documentation of the API")
struct ApiDocumentationTests {
    private static let page = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Docs/api.md")

    /// A route as the page or the table names it.
    private struct Entry: Hashable, CustomStringConvertible {
        let name: String
        let access: String
        var description: String { "\(name), access: \(access)" }
    }

    /// Headings of the form "### `GET /path`", each with its line "Access: …".
    private static func described() throws -> [Entry] {
        let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
        return lines.enumerated().compactMap { index, line in
            guard line.hasPrefix("### `"), line.hasSuffix("`") else { return nil }
            let access = lines[index...].dropFirst().first { !$0.isEmpty } ?? ""
            return Entry(
                name: String(line.dropFirst(5).dropLast()),
                access: access.replacing("Access: ", with: ""))
        }
    }

    private static var served: [Entry] {
        routes.routes.map { route in
            let access =
                switch route.access {
                case .open: "open"
                case .identity: "any identity"
                case .action(let action): "`\(action.rawValue)`"
                }
            return Entry(name: "\(route.method.name) \(route.path)", access: access)
        }
    }

    @Test("describes every route with its access, once, and no other")
    func routesAreDescribed() throws {
        let described = try Self.described()
        #expect(described.count == Set(described).count)
        #expect(Set(described).subtracting(Self.served).isEmpty)
        #expect(Set(Self.served).subtracting(described).isEmpty)
    }
}
