import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Stored completions")
@LoopActor
struct StoredCompletionTests {
    private let start = Timestamp(seconds: 1_800_000_000)

    private func makeUsers() async throws -> Pool {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        try await Users.create(.make("user_2"), in: pool)
        return pool
    }

    /// Begins an answer and ends it, with a completion of this id; the conversation's id.
    @discardableResult
    private func store(
        _ id: String, owner: String = "user_1", in chat: String? = nil, pool: Pool,
        _ change: (inout NewCompletion) -> Void = { _ in }
    ) async throws -> String {
        let conversation = try await begin(id, owner: owner, in: chat, pool: pool)
        #expect(try await Conversations.finish(ending(id, owner: owner, change), in: pool))
        return conversation
    }

    private func begin(
        _ id: String, owner: String = "user_1", in chat: String? = nil, pool: Pool
    ) async throws -> String {
        var beginning = Beginning(
            ownerID: owner, externalID: chat, newID: "conv_\(id)", requestID: "request_\(id)",
            now: .now)
        beginning.answer = NewAnswer(
            id: "turn_\(id)", parentHash: [1], position: 1, model: "m", worker: "w")
        return try await Conversations.begin(beginning, in: pool)
    }

    private func ending(
        _ id: String, owner: String = "user_1", _ change: (inout NewCompletion) -> Void = { _ in }
    ) -> Ending {
        var completion = NewCompletion(id: id, createdAt: start, model: "m")
        completion.reply = Array("{\"id\":\"\(id)\"}".utf8)
        change(&completion)
        var ending = Ending(
            answerID: "turn_\(id)", ownerID: owner, hash: [9],
            content: Array("{}".utf8)[...], status: .completed, now: .now)
        ending.completion = completion
        return ending
    }

    private func ids(
        _ filter: CompletionFilter = CompletionFilter(), owner: String = "user_1",
        isDescending: Bool = false, pageOf limit: Int = 100, in pool: Pool
    ) async throws -> [String] {
        var seen: [String] = []
        while true {
            let page = try await StoredCompletions.list(
                owner: owner,
                Slice(after: seen.last, limit: limit, isDescending: isDescending), filter, in: pool)
            #expect(page.completions.count <= limit)
            seen += page.completions.map(\.id)
            if !page.hasMore { return seen }
        }
    }

    @Test("are kept byte for byte, once, with the end of their answer")
    func kept() async throws {
        let pool = try await makeUsers()
        let messages = Array(#"[ {"b":1e0 , "a":"\u0000\ud800 \#(metacharacters)"}]"#.utf8)
        let reply = Array(#"{ "x" : 0.70, "y":"\u0000" }"#.utf8)
        let change = { (completion: inout NewCompletion) in
            completion.messages = messages[...]
            completion.reply = reply
        }
        _ = try await begin("c", pool: pool)
        #expect(try await StoredCompletions.find("c", owner: "user_1", in: pool) == nil)
        for _ in 0..<2 { _ = try await Conversations.finish(ending("c", change), in: pool) }
        #expect(try await StoredCompletions.find("c", owner: "user_1", in: pool)?.reply == reply)
        #expect(
            try await StoredCompletions.messages(of: "c", owner: "user_1", in: pool) == messages)
        #expect(try await ids(in: pool) == ["c"])
        await pool.close()
    }

    @Test("are kept each, though the same answer to the same question leaves one turn")
    func twins() async throws {
        let pool = try await makeUsers()
        try await concurrently(16) { number in
            try await store("c\(number)", in: "chat", pool: pool)
        }
        #expect(try await ids(in: pool).count == 16)
        let list = try await Conversations.list(owner: "user_1", limit: 9, in: pool)
        let id = try #require(list.first?.id)
        #expect(list.count == 1)
        let turns = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(turns.count == 1)
        await pool.close()
    }

    @Test("are not kept once their conversation is gone")
    func orphan() async throws {
        let pool = try await makeUsers()
        let conversation = try await begin("c", pool: pool)
        #expect(try await Conversations.delete(conversation, owner: "user_1", in: pool))
        #expect(try await !Conversations.finish(ending("c"), in: pool))
        #expect(try await ids(in: pool).isEmpty)
        await pool.close()
    }

    @Test("are found, listed, changed and deleted by their owner only")
    func owners() async throws {
        let pool = try await makeUsers()
        try await store("c", pool: pool)
        let mine = try #require(try await StoredCompletions.find("c", owner: "user_1", in: pool))
        #expect(try await StoredCompletions.find("c", owner: "user_2", in: pool) == nil)
        #expect(try await StoredCompletions.messages(of: "c", owner: "user_2", in: pool) == nil)
        #expect(try await ids(owner: "user_2", in: pool).isEmpty)
        await #expect(throws: UnknownCursor.self) {
            try await StoredCompletions.list(
                owner: "user_2", Slice(after: "c", limit: 1), in: pool)
        }
        var changed = mine
        changed.reply = Array("{}".utf8)
        let metadata = Array("{}".utf8)
        #expect(
            try await !StoredCompletions.change(
                changed, metadata: metadata, owner: "user_2", in: pool))
        #expect(try await !StoredCompletions.delete("c", owner: "user_2", in: pool))
        #expect(try await StoredCompletions.find("c", owner: "user_1", in: pool) == mine)
        #expect(
            try await StoredCompletions.change(
                changed, metadata: metadata, owner: "user_1", in: pool))
        #expect(try await StoredCompletions.find("c", owner: "user_1", in: pool) == changed)
        #expect(try await StoredCompletions.delete("c", owner: "user_1", in: pool))
        #expect(try await !StoredCompletions.delete("c", owner: "user_1", in: pool))
        await pool.close()
    }

    @Test("are listed page by page in both orders, each once, whatever comes in between")
    func pages() async throws {
        let pool = try await makeUsers()
        for number in 0..<7 {
            try await store("c\(number)", pool: pool) {
                // Pairs of the same time: the id decides.
                $0.createdAt = start.adding(seconds: number / 2)
            }
        }
        try await store("other", owner: "user_2", pool: pool)
        let all = (0..<7).map { "c\($0)" }
        for size in [1, 2, 3, 7, 100] {
            #expect(try await ids(pageOf: size, in: pool) == all)
            #expect(
                try await ids(isDescending: true, pageOf: size, in: pool) == all.reversed())
        }
        let slice = Slice(limit: 3)
        let first = try await StoredCompletions.list(owner: "user_1", slice, in: pool)
        #expect(first.completions.map(\.id) == ["c0", "c1", "c2"] && first.hasMore)
        // One that lies before, one on the next page.
        try await store("c00", pool: pool)
        try await store("c33", pool: pool) { $0.createdAt = start.adding(seconds: 1) }
        let next = try await StoredCompletions.list(
            owner: "user_1", Slice(after: "c2", limit: 100), in: pool)
        #expect(next.completions.map(\.id) == ["c3", "c33", "c4", "c5", "c6"] && !next.hasMore)
        await #expect(throws: UnknownCursor.self) {
            try await StoredCompletions.list(
                owner: "user_1", Slice(after: "none", limit: 1), in: pool)
        }
        await pool.close()
    }

    @Test("are found by model and by metadata, all of which must be there")
    func filters() async throws {
        let pool = try await makeUsers()
        func object(_ value: String) -> [UInt8] { Array(#"{"k":"\#(value)","n":"1"}"#.utf8) }
        for number in 0..<6 {
            try await store("c\(number)", pool: pool) {
                $0.model = number < 3 ? metacharacters : "m"
                $0.metadata = object(number % 2 == 0 ? "even" : "odd")
            }
        }
        func found(_ model: String?, _ metadata: String?) async throws -> [String] {
            let filter = CompletionFilter(
                model: model, metadata: metadata.map { Array($0.utf8) })
            let up = try await ids(filter, pageOf: 2, in: pool)
            let down = try await ids(filter, isDescending: true, pageOf: 1, in: pool)
            #expect(up == down.reversed())
            return up
        }
        #expect(try await found(metacharacters, nil) == ["c0", "c1", "c2"])
        #expect(try await found("n", nil).isEmpty)
        #expect(try await found(nil, #"{"k":"even"}"#) == ["c0", "c2", "c4"])
        #expect(try await found("m", #"{"n":"1","k":"even"}"#) == ["c4"])
        for nothing in [#"{"k":"ev"}"#, #"{"k":"even","x":""}"#, #"{"even":"k"}"#] {
            #expect(try await found(nil, nothing).isEmpty)
        }
        // Other metadata is found from then on, and the old one no more.
        let fifth = try #require(try await StoredCompletions.find("c5", owner: "user_1", in: pool))
        _ = try await StoredCompletions.change(
            fifth, metadata: object("even"), owner: "user_1", in: pool)
        #expect(try await found("m", #"{"k":"even"}"#) == ["c4", "c5"])
        #expect(try await found("m", #"{"k":"odd"}"#) == ["c3"])
        await pool.close()
    }

    @Test("fill a page up to some megabytes, and one that is larger fills it alone")
    func large() async throws {
        let pool = try await makeUsers()
        for (id, megabytes) in [("c0", 9), ("c1", 4), ("c2", 4), ("c3", 1), ("c4", 1)] {
            try await store(id, pool: pool) {
                $0.reply = Array("\"\(String(repeating: "x", count: megabytes << 20 - 2))\"".utf8)
            }
        }
        var pages: [[String]] = []
        while true {
            let page = try await StoredCompletions.list(
                owner: "user_1", Slice(after: pages.last?.last, limit: 100), in: pool)
            pages.append(page.completions.map(\.id))
            if !page.hasMore { break }
        }
        #expect(pages == [["c0"], ["c1", "c2"], ["c3", "c4"]])
        await pool.close()
    }

    @Test("go with their user and their conversation, and take along only one made for them alone")
    func cascade() async throws {
        let pool = try await makeUsers()
        func conversations() async throws -> [String] {
            try await Conversations.list(owner: "user_1", limit: 9, in: pool).map(\.id).sorted()
        }
        let named = try await store("c1", in: "chat", pool: pool)
        try await store("c2", pool: pool)
        let continued = try await store("c3", pool: pool)
        let touch = Statement(
            "touch", "UPDATE conversations SET updated_at = now() WHERE id = $1")
        _ = try await pool.query(touch, [.text(continued)])
        let kept = try await store("c4", pool: pool)
        for id in ["c1", "c2", "c3"] {
            #expect(try await StoredCompletions.delete(id, owner: "user_1", in: pool))
        }
        #expect(try await conversations() == [named, continued, kept].sorted())
        #expect(try await Conversations.delete(kept, owner: "user_1", in: pool))
        #expect(try await StoredCompletions.find("c4", owner: "user_1", in: pool) == nil)
        try await store("c5", pool: pool)
        try await store("c6", owner: "user_2", pool: pool)
        let remove = Statement("remove user", "DELETE FROM users WHERE id = 'user_1'")
        _ = try await pool.query(remove)
        #expect(try await ids(in: pool).isEmpty)
        #expect(try await ids(owner: "user_2", in: pool) == ["c6"])
        await pool.close()
    }

    @Test("are found by their metadata through its index")
    func index() async throws {
        let pool = try await makeUsers()
        let fill = Statement(
            "fill",
            """
            WITH c AS (INSERT INTO conversations VALUES ('conv', 'user_1', NULL, now(), now())),
            s AS (
                INSERT INTO stored_completions
                SELECT 'c' || n, 'user_1', 'conv', now() + n * interval '1 second', 'm',
                    jsonb_build_object('k', n::text), '[]', '{}'
                FROM generate_series(1, 20000) n)
            SELECT 1
            """)
        _ = try await pool.query(fill)
        _ = try await pool.query(Statement("analyze", "ANALYZE stored_completions"))
        let filter = CompletionFilter(metadata: Array(#"{"k":"777"}"#.utf8))
        #expect(try await ids(filter, in: pool) == ["c777"])
        let scans = Statement(
            "plan",
            """
            SELECT idx_scan > 0 FROM pg_stat_user_indexes
            WHERE indexrelname = 'stored_completions_by_metadata'
            """)
        let isUsed = try await waitUntil {
            try await pool.query(scans).first?.boolean(0) == true
        }
        #expect(isUsed)
        await pool.close()
    }
}
