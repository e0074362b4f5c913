import EventLoop
import Foundation
import PostgreSQL
import Providers
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("Ingestion and retrieval")
@LoopActor
final class KnowledgeIngestionTests {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "archway-ingestion-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder + "/sub", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    func makePool() async throws -> PostgreSQL.Pool {
        let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
        let pool = PostgreSQL.Pool(conninfo: conninfo, size: 2, statementTimeout: 30_000)
        try await Migrations.apply(at: .now, in: pool)
        return pool
    }

    @Test(
        "makes no collection in a language that is not there, and changes no collection's language")
    func languages() async throws {
        let pool = try await makePool()
        try write("leave.md", "# Urlaub\n\nAlle haben dreißig Tage Urlaub.\n")
        var ingestion = Ingestion(pool: pool, collection: "handbook")
        ingestion.language = "klingon"
        await #expect(throws: CommandFailure.self) { try await ingestion.run([folder]) }
        ingestion.language = "german"
        #expect(try await ingestion.run([folder]).added == 1)
        ingestion.language = "english"
        await #expect(throws: CommandFailure.self) { try await ingestion.run([folder]) }
        ingestion.language = nil
        #expect(try await ingestion.run([folder]).unchanged == 1)
    }

    @Test("adds what is new, replaces what changed, leaves what did not, reports what failed")
    func rounds() async throws {
        let pool = try await makePool()
        try write("leave.md", "# Leave\n\nEvery employee has thirty days of vacation.\n")
        try write("sub/travel.txt", "Trains are booked in second class.\n")
        try write("sub/page.html", "<title>Lunch</title><p>Lunch is at noon.</p>")
        try write("empty.md", "\n\n")
        try write("binary.txt", "a\0b")
        try write("notes.pdf", "ignored")
        try write(".hidden.md", "ignored")
        let ingestion = Ingestion(pool: pool, collection: "handbook")
        var lines: [String] = []
        var report = try await ingestion.run([folder, folder + "/leave.md", folder + "/none"]) {
            lines.append($0.description)
        }
        #expect(report.added == 3 && report.replaced == 0 && report.unchanged == 0)
        #expect(report.passages == 3)
        #expect(report.failed.count == 2 && lines.count == 6)
        #expect(report.unknown == 1)
        #expect(report.failed.contains { $0.reason == "is not text" })
        #expect(lines.contains { $0.hasSuffix("empty.md: holds no text") })

        try write("leave.md", "# Leave\n\nEvery employee has thirty-one days of vacation.\n")
        report = try await ingestion.run([folder])
        #expect(report.added == 0 && report.replaced == 1 && report.unchanged == 2)
        var all = ingestion
        all.replacesAll = true
        #expect(try await all.run([folder]).replaced == 3)

        let found = try await Retrieval.passages(
            for: "How many days of vacation do I have?", in: ["handbook"], limit: 6, pool: pool)
        #expect(found.map(\.title) == ["Leave"])
        #expect(found.first?.text == "Every employee has thirty-one days of vacation.")
        #expect(found.first?.number == 1 && found.first?.heading == nil && found.first?.url == nil)
        let lunch = try await Retrieval.passages(
            for: "When is lunch?", in: ["handbook"], limit: 6, pool: pool)
        #expect(lunch.map(\.title) == ["Lunch"])
        let travel = try await Retrieval.passages(
            for: "travel", in: ["handbook"], limit: 6, pool: pool)
        #expect(travel.map(\.title) == ["travel"])
        let none = try await Retrieval.passages(
            for: "zebra", in: ["handbook"], limit: 6, pool: pool)
        #expect(none.isEmpty)
        await pool.close()
    }

    @Test("makes a collection only for a document, and says what it passed over")
    func nothingToTake() async throws {
        let pool = try await makePool()
        try write("notes.pdf", "%PDF")
        try write("sub/table.csv", "a,b")
        try write("empty.md", "\n")
        try write("binary.txt", "a\0b")
        let ingestion = Ingestion(pool: pool, collection: "handbook")
        let report = try await ingestion.run([folder, folder + "/none.md", folder + "/notes.pdf"])
        #expect(report.added == 0 && report.unknown == 2 && report.failed.count == 3)
        #expect(try await Knowledge.collections(in: pool).isEmpty)
        try write("leave.md", "Thirty days.\n")
        #expect(try await ingestion.run([folder]).added == 1)
        #expect(try await Knowledge.collections(in: pool).map(\.name) == ["handbook"])
        await pool.close()
    }

    @Test("says a line of each file, whatever it is called")
    func lines() async throws {
        let pool = try await makePool()
        try write("a\nfailed \u{1B}[31mb.md", "Thirty days.\n")
        var lines: [String] = []
        _ = try await Ingestion(pool: pool, collection: "handbook").run([folder]) {
            lines.append($0.description)
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasSuffix(#"/a\nfailed \u{1B}[31mb.md (1 passages)"#) == true, "\(lines)")
        await pool.close()
    }

    @Test("gives a document a title of one line and at most 300 characters")
    func titles() async throws {
        let pool = try await makePool()
        try write("long.md", "# " + String(repeating: "é", count: 5000) + "\n\nText.\n")
        try write("red.html", "<title>Red \u{1B}[31m\n alert</title><p>Text.</p>")
        try write("un\nnamed.txt", "Text.\n")
        _ = try await Ingestion(pool: pool, collection: "handbook").run([folder])
        let collection = try #require(try await Knowledge.collection("handbook", in: pool))
        let titles = try await Knowledge.documents(of: collection.id, limit: 9, in: pool)
            .map(\.title)
        #expect(titles == [String(repeating: "é", count: 300), "Red [31m alert", "un named"])
        await pool.close()
    }

    @Test("quotes code that was cut as code that is cut")
    func code() async throws {
        let pool = try await makePool()
        let lines = (0..<100).map { "deploy step\($0)" }.joined(separator: "\n")
        try write("deploy.md", "# Deployment\n\n```sh\n\(lines)\n```\n\nThen have a zebra7.\n")
        _ = try await Ingestion(pool: pool, collection: "handbook").run([folder])
        let found = try await Retrieval.passages(
            for: "step99 zebra7", in: ["handbook"], limit: 6, pool: pool)
        #expect(found.map(\.opening) == ["```sh"])
        let answer = Extractive.answer(
            to: "step99 zebra7", from: Evidence(passages: found).quotable(for: "step99 zebra7"))
        #expect(answer.paragraphs.count == 2)
        #expect(answer.text.hasPrefix("**Deployment**\n\n> ```sh\n> …\n> deploy step"))
        #expect(answer.paragraphs.last == "> Then have a zebra7. [1]")
        await pool.close()
    }

    @Test("tells of every file what became of it, and quotes none that is empty now")
    func emptied() async throws {
        let pool = try await makePool()
        for name in ["\u{F6}.md", "o\u{308}.md", "gone.md"] { try write(name, "zebra7 \(name)") }
        let ingestion = Ingestion(pool: pool, collection: "handbook")
        #expect(try await ingestion.run([folder]).added == 3)
        try write("gone.md", " \n")
        let bad = folder + "/bad"
        try write("bad", "x")
        bad.withCString { from in
            var to = Array(folder.utf8CString.dropLast()) + [0x2F, 0x62, -1, 0x2E, 0x6D, 0x64, 0]
            _ = rename(from, &to)
        }
        let report = try await ingestion.run([folder])
        #expect(report.unchanged == 2 && report.empty == 1 && report.failed.count == 1)
        let found = try await Retrieval.passages(
            for: "zebra7", in: ["handbook"], limit: 6, pool: pool)
        #expect(found.count == 2 && !found.contains { $0.text.contains("gone") })
        await pool.close()
    }

    @Test("follows no link inside of a folder and opens no pipe")
    func links() async throws {
        let outside = NSTemporaryDirectory() + "archway-outside-\(UUID().uuidString).md"
        try Data("secret".utf8).write(to: URL(fileURLWithPath: outside))
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/link.md", withDestinationPath: outside)
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/sub/loop", withDestinationPath: folder)
        mkfifo(folder + "/pipe.md", 0o600)
        try write("sub/a.md", "text")
        #expect(FileWalk([folder]).files.map(\.relative) == ["sub/a.md"])
        #expect(FileWalk([folder + "/link.md"]).files.count == 1)
        #expect(FileWalk([folder + "/pipe.md"]).failures.count == 1)
    }

    @Test("names documents by the address under which others read them")
    func baseURL() async throws {
        let pool = try await makePool()
        try write("sub/our leave.md", "# Leave\n\nThirty days.\n")
        var ingestion = Ingestion(pool: pool, collection: "handbook")
        ingestion.baseURL = "HTTPS://example.org/docs"
        _ = try await ingestion.run([folder])
        let found = try await Retrieval.passages(
            for: "leave", in: ["handbook"], limit: 6, pool: pool)
        #expect(found.first?.url == "HTTPS://example.org/docs/sub/our%20leave.md")
        await pool.close()
    }

    @Test("numbers documents by their best passage and drops what is far behind")
    func numbers() {
        func passage(_ document: String, _ score: Double) -> FoundPassage {
            FoundPassage(
                documentID: document, title: document, source: document, body: "text", score: score)
        }
        let found = [passage("a", 0.9), passage("b", 0.8), passage("a", 0.5), passage("c", 0.2)]
        let relevant = Retrieval.relevant(found)
        #expect(Retrieval.numbered(relevant).map(\.number) == [1, 2, 1])
        #expect(Retrieval.relevant([passage("a", 0.05)]).isEmpty)
    }
}
