import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Knowledge")
@LoopActor
struct KnowledgeTests {
    let digest = [UInt8](repeating: 7, count: 32)

    func collection(_ name: String, language: String = "english", _ pool: Pool) async throws
        -> String
    {
        try await Knowledge.upsert(
            KnowledgeCollection(
                id: "coll_\(name)", name: name, language: language, createdAt: .now),
            in: pool
        ).id
    }

    /// A document with a passage for each body.
    func store(
        _ source: String, _ bodies: [(heading: String, body: String)], in collection: String,
        _ pool: Pool
    ) async throws -> Bool {
        let document = KnowledgeDocument(
            id: "doc_\(collection)_\(source)_\(Int.random(in: 0...(1 << 40)))",
            collectionID: collection, source: source, title: "Title of \(source)", digest: digest,
            now: .now)
        let passages = bodies.enumerated().map { number, entry in
            NewPassage(
                id: "\(document.id)_\(number)", heading: entry.heading, body: entry.body,
                span: number * 10..<number * 10 + 9, page: number == 0 ? nil : number)
        }
        return try await Knowledge.replace(document, passages: passages, in: pool)
    }

    @Test("answers a natural question although not all its words occur")
    func search() async throws {
        let pool = try await makeStore()
        let id = try await collection("handbook", pool)
        _ = try await store(
            "leave.md",
            [
                ("Leave", "Every employee has thirty days of paid vacation a year."),
                ("Leave > Sickness", "Call your manager on the first day when you are ill."),
            ], in: id, pool)
        _ = try await store(
            "travel.md", [("Travel", "Trains are booked in second class.")], in: id, pool)
        let found = try await Knowledge.search(
            ["handbook"], for: "How many vacation days do I get per year, please?", limit: 5,
            in: pool)
        #expect(found.first?.source == "leave.md")
        #expect(found.first?.title == "Title of leave.md")
        #expect(found.first?.body.contains("thirty days") == true)
        #expect(found.first?.heading == "Leave")
        #expect(found.first?.span == 0..<9)
        #expect(found.first?.page == nil)
        #expect(found.allSatisfy { $0.score > 0 && $0.score <= 1 })
        #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
        #expect(!found.contains { $0.source == "travel.md" })
        await pool.close()
    }

    @Test("prefers the rare word to the frequent one, and the heading to the body")
    func ranking() async throws {
        let pool = try await makeStore()
        let id = try await collection("handbook", pool)
        for number in 0..<30 {
            _ = try await store(
                "day-\(number).md", [("Notes", "The day, the day and again the day.")], in: id, pool
            )
        }
        _ = try await store("pension.md", [("Money", "A pension is paid.")], in: id, pool)
        _ = try await store("plan.md", [("Pension", "It is paid.")], in: id, pool)
        let found = try await Knowledge.search(
            ["handbook"], for: "day of the pension", limit: 3, in: pool)
        #expect(found.map(\.source).prefix(2) == ["plan.md", "pension.md"])
        await pool.close()
    }

    @Test("prefers a number to a word, and finds what may be meant too")
    func names() async throws {
        let pool = try await makeStore()
        let id = try await collection("handbook", pool)
        for (number, text) in ["They mean it.", "A 502 comes back.", "Two 502 are bad."]
            .enumerated()
        {
            _ = try await store("\(number).md", [("Notes", text)], in: id, pool)
        }
        _ = try await store("backup.md", [("Backup", "Dump it.")], in: id, pool)
        func find(_ question: String, or others: [String] = []) async throws -> [FoundPassage] {
            try await Knowledge.search(["handbook"], for: question, or: others, limit: 3, in: pool)
        }
        let found = try await find("What does a 502 mean?").map(\.source)
        #expect(Set(found.prefix(2)) == ["1.md", "2.md"])
        let asked = try await find("back up")
        #expect(asked.map(\.source) == ["1.md"])
        let meant = try await find("back up", or: ["backup"])
        #expect(Set(meant.map(\.source)) == ["1.md", "backup.md"])
        #expect(try await find("back up", or: ["zebra", "the", "\0"]) == asked)
        #expect(try await find("zebra", or: ["horse"]).isEmpty)
        await pool.close()
    }

    @Test(
        "finds nothing where nothing fits",
        arguments: ["", "the of and", "zebra", "\0", "'; DROP TABLE passages; --", "& | ! ( ) :*"])
    func nothing(question: String) async throws {
        let pool = try await makeStore()
        let id = try await collection("handbook", pool)
        _ = try await store("a.md", [("Leave", "Thirty days of vacation.")], in: id, pool)
        #expect(
            try await Knowledge.search(["handbook"], for: question, limit: 5, in: pool).isEmpty)
        await pool.close()
    }

    @Test("takes any text, in documents as in questions")
    func anyText() async throws {
        let pool = try await makeStore()
        let id = try await collection(metacharacters, pool)
        let body = "zebra's \\ path C:\\temp\\x http://example.org/a'b?c=d&e | \(metacharacters)"
        _ = try await store(metacharacters, [(metacharacters, body)], in: id, pool)
        for question in [body, "http://example.org/a'b?c=d&e", "C:\\temp\\x zebra"] {
            let found = try await Knowledge.search(
                [metacharacters], for: question, limit: 5, in: pool)
            #expect(found.first?.body == body)
            #expect(found.first?.source == metacharacters)
        }
        await pool.close()
    }

    @Test("searches each collection in its language, and only those asked for")
    func collections() async throws {
        let pool = try await makeStore()
        let english = try await collection("english", pool)
        let german = try await collection("german", language: "german", pool)
        _ = try await store("a", [("", "The houses are old.")], in: english, pool)
        _ = try await store("b", [("", "Die Häuser sind alt.")], in: german, pool)
        let both = ["english", "german", "unknown"]
        let house = try await Knowledge.search(both, for: "house", limit: 5, in: pool)
        #expect(house.map(\.source) == ["a"])
        let haus = try await Knowledge.search(both, for: "Haus", limit: 5, in: pool)
        #expect(haus.map(\.source) == ["b"])
        #expect(try await Knowledge.search(["german"], for: "house", limit: 5, in: pool).isEmpty)
        #expect(try await Knowledge.collections(in: pool).map(\.name) == ["english", "german"])
        #expect(try await collection("english", language: "german", pool) == english)
        await pool.close()
    }

    @Test("replaces a document whole, also when two do it at once")
    func replace() async throws {
        let pool = try await makeStore()
        let id = try await collection("handbook", pool)
        #expect(try await store("a.md", [("", "zebra one"), ("", "zebra two")], in: id, pool))
        #expect(try await !store("a.md", [("", "zebra three")], in: id, pool))
        try await concurrently(8) { number in
            _ = try await self.store(
                "a.md", [("", "lion \(number)"), ("", "lion too \(number)")], in: id, pool)
        }
        #expect(try await Knowledge.search(["handbook"], for: "zebra", limit: 9, in: pool).isEmpty)
        let lions = try await Knowledge.search(["handbook"], for: "lion", limit: 9, in: pool)
        #expect(lions.count == 2)
        #expect(Set(lions.map { $0.body.last }).count == 1)
        #expect(try await Knowledge.documents(of: id, limit: 9, in: pool).count == 1)
        #expect(try await Knowledge.digest(of: "a.md", in: id, pool: pool) == digest)
        #expect(try await Knowledge.digest(of: "b.md", in: id, pool: pool) == nil)
        #expect(try await Knowledge.remove(source: "a.md", from: id, in: pool))
        #expect(try await !Knowledge.remove(source: "a.md", from: id, in: pool))
        #expect(try await Knowledge.search(["handbook"], for: "lion", limit: 9, in: pool).isEmpty)
        await pool.close()
    }
}
