import EventLoop
import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing

/// What an operator pastes from `Docs/operations.md` and `Docs/security.md`.
@Suite("The SQL of the manual")
@LoopActor
struct ManualTests {
    private static func blocks(_ page: String) throws -> [String] {
        let docs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Docs")
        let text = try String(contentsOf: docs.appending(path: page), encoding: .utf8)
        return text.matches(of: /```sql\n((?s).*?)```/).map { String($0.output.1) }
    }

    /// A database with two collections, the first of which the manual speaks of.
    private static func database() async throws -> (server: TemporaryPostgreSQL, name: String) {
        let server = try await TemporaryPostgreSQL.shared()
        let conninfo = try await server.makeDatabase()
        let pool = Pool(conninfo: conninfo, size: 1, statementTimeout: 30_000)
        try await Migrations.apply(at: .now, in: pool)
        for name in ["handbook", "other"] {
            let collection = KnowledgeCollection(
                id: "coll_\(name)", name: name, language: "english", createdAt: .now)
            _ = try await Knowledge.upsert(collection, in: pool)
            for number in 1...2 {
                let document = KnowledgeDocument(
                    id: "doc_\(name)_\(number)", collectionID: collection.id,
                    source: "/srv/\(name)/\(number).md", title: "Page \(number)",
                    digest: [UInt8](repeating: 7, count: 32), now: .now)
                let passage = NewPassage(
                    id: "passage_\(name)_\(number)", heading: "", body: "text", span: 0..<4)
                _ = try await Knowledge.replace(document, passages: [passage], in: pool)
            }
        }
        await pool.close()
        let word = conninfo.split(separator: " ").first { $0.hasPrefix("dbname=") }
        return (server, String(try #require(word).dropFirst("dbname=".count)))
    }

    @Test("is understood by PostgreSQL", arguments: ["operations.md", "security.md"])
    func runs(page: String) async throws {
        let (server, name) = try await Self.database()
        let blocks = try Self.blocks(page)
        #expect(!blocks.isEmpty)
        for block in blocks { try await server.sql(block, database: name) }
    }

    @Test("lists the documents of a collection, and deletes it with all of them and no other")
    func collection() async throws {
        let (server, name) = try await Self.database()
        let statements = try Self.blocks("operations.md").joined().split(separator: ";")
        func run(_ comment: String) async throws -> String {
            let statement = try #require(
                statements.first { $0.contains(comment) }, "\(comment) is not there")
            return try await server.sql(String(statement), database: name)
        }
        let documents = try await run("-- Documents of a collection")
        #expect(documents.split(separator: "\n").count == 2)
        #expect(documents.contains("/srv/handbook/1.md|Page 1"))
        _ = try await run("-- A whole collection")
        let left = "SELECT (SELECT string_agg(name, ' ') FROM collections), count(*) FROM passages"
        #expect(try await server.sql(left, database: name) == "other|2")
    }
}
