import EventLoop
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Conversations")
@LoopActor
struct ConversationTests {
    /// The chain of a history of so many messages; `prefix` makes the ids of this request.
    func turns(_ count: Int, prefix: String, bytes: Int = 10) -> [NewTurn] {
        (0..<count).map { number in
            let content = #"{"role":"user","content":""# + String(repeating: "x", count: bytes)
            return NewTurn(
                id: "\(prefix)_\(number)", parentHash: number == 0 ? nil : [0, UInt8(number - 1)],
                hash: [0, UInt8(number)], position: number, role: "user",
                content: Array(content.utf8)[...])
        }
    }

    func beginning(_ prefix: String, count: Int, bytes: Int = 10, owner: String = "user_1")
        -> Beginning
    {
        var beginning = Beginning(
            ownerID: owner, externalID: "chat-1", newID: "conv_\(prefix)",
            requestID: "request_\(prefix)", now: .now)
        beginning.turns = turns(count, prefix: prefix, bytes: bytes)
        beginning.answer = NewAnswer(
            id: "answer_\(prefix)", parentHash: [0, UInt8(count - 1)], position: count,
            model: "assistant", worker: "worker-1")
        return beginning
    }

    func ending(_ prefix: String, hash: [UInt8]?, status: Turn.Status = .completed) -> Ending {
        Ending(
            answerID: "answer_\(prefix)", ownerID: "user_1", hash: hash,
            content: Array(#"{"role":"assistant"}"#.utf8)[...], status: status, now: .now)
    }

    func makeConversations() async throws -> Pool {
        let pool = try await makeStore()
        try await Users.create(.make("user_1"), in: pool)
        try await Users.create(.make("user_2"), in: pool)
        return pool
    }

    @Test("are opened once by sixty-four requests at once")
    func open() async throws {
        let pool = try await makeConversations()
        var ids: Set<String> = []
        try await concurrently(64) { number in
            ids.insert(
                try await Conversations.open(
                    owner: "user_1", externalID: metacharacters, newID: "conv_\(number)",
                    now: .now, in: pool))
        }
        #expect(ids.count == 1)
        let other = try await Conversations.open(
            owner: "user_2", externalID: metacharacters, newID: "conv_other", now: .now, in: pool)
        #expect(other == "conv_other")
        #expect(try await Conversations.list(owner: "user_1", limit: 9, in: pool).count == 1)
        await pool.close()
    }

    @Test("without an external id are new each time")
    func unnamed() async throws {
        let pool = try await makeConversations()
        for number in 0..<2 {
            var begun = beginning("\(number)", count: 1)
            begun.externalID = nil
            #expect(try await Conversations.begin(begun, in: pool) == "conv_\(number)")
        }
        await pool.close()
    }

    @Test("store each turn once and each answer once under a race", arguments: [10, 4000])
    func race(bytes: Int) async throws {
        let pool = try await makeConversations()
        var ids: Set<String> = []
        try await concurrently(64) { number in
            // All of them have the same history, of different lengths, and get one of four answers.
            let begun = self.beginning("\(number)", count: 10 + number % 11, bytes: bytes)
            ids.insert(try await Conversations.begin(begun, in: pool))
            let ended = self.ending("\(number)", hash: [1, UInt8(number % 4)])
            #expect(try await Conversations.finish(ended, in: pool))
        }
        #expect(ids.count == 1)
        let id = try #require(ids.first)
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.filter { $0.role == "user" }.map(\.position) == Array(0..<20))
        #expect(Set(stored.map(\.hash)).count == stored.count)
        #expect(stored.filter { $0.role == "assistant" }.count == 4)
        #expect(stored.allSatisfy { $0.status == .completed && $0.completedAt != nil })
        await pool.close()
    }

    @Test("keep a message byte for byte")
    func verbatim() async throws {
        let pool = try await makeConversations()
        var begun = beginning("1", count: 1)
        let content = Array(#"{ "b":1e0 , "a":"\u0000\ud800 \#(metacharacters)"}"#.utf8)
        begun.turns[0].content = content[...]
        let id = try await Conversations.begin(begun, in: pool)
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.first?.content == content)
        #expect(stored.first?.requestID == "request_1")
        #expect(stored.last?.status == .inProgress && stored.last?.hash == nil)
        await pool.close()
    }

    @Test("take the same beginning and the same ending twice")
    func repeated() async throws {
        let pool = try await makeConversations()
        var id = ""
        for _ in 0..<2 {
            id = try await Conversations.begin(beginning("1", count: 2), in: pool)
            #expect(try await Conversations.finish(ending("1", hash: [9]), in: pool))
        }
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.map(\.id) == ["1_0", "1_1", "answer_1"])
        await pool.close()
    }

    @Test("keep one answer when a retry completes what was left incomplete")
    func upgraded() async throws {
        let pool = try await makeConversations()
        let id = try await Conversations.begin(beginning("1", count: 1), in: pool)
        _ = try await Conversations.finish(ending("1", hash: [9], status: .incomplete), in: pool)
        _ = try await Conversations.begin(beginning("2", count: 1), in: pool)
        _ = try await Conversations.finish(ending("2", hash: [9]), in: pool)
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.map(\.id) == ["1_0", "answer_1"])
        #expect(stored.last?.status == .completed)
        await pool.close()
    }

    @Test("say how an answer ended, also when it was sent back before that was recorded")
    func sentBack() async throws {
        let pool = try await makeConversations()
        let id = try await Conversations.begin(beginning("1", count: 1), in: pool)
        var next = beginning("2", count: 1)
        next.turns.append(
            NewTurn(
                id: "2_1", parentHash: next.turns[0].hash, hash: [9], position: 1,
                role: "assistant", content: Array("{}".utf8)[...]))
        next.answer = nil
        _ = try await Conversations.begin(next, in: pool)
        _ = try await Conversations.finish(ending("1", hash: [9], status: .incomplete), in: pool)
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.map(\.id) == ["1_0", "2_1"])
        #expect(stored.last?.status == .incomplete && stored.last?.model != nil)
        await pool.close()
    }

    @Test("let a dead worker's answers be incomplete, and only its")
    func abandoned() async throws {
        let pool = try await makeConversations()
        let id = try await Conversations.begin(beginning("1", count: 1), in: pool)
        var other = beginning("2", count: 1)
        other.answer?.worker = "worker-2"
        _ = try await Conversations.begin(other, in: pool)
        #expect(try await Conversations.abandon(worker: "worker-1", at: .now, in: pool) == 1)
        #expect(try await Conversations.abandon(worker: "worker-1", at: .now, in: pool) == 0)
        let stored = try await Conversations.turns(of: id, owner: "user_1", in: pool)
        #expect(stored.map(\.status) == [.completed, .incomplete, .inProgress])
        await pool.close()
    }

    @Test("are hidden from everybody else")
    func owners() async throws {
        let pool = try await makeConversations()
        let id = try await Conversations.begin(beginning("1", count: 1), in: pool)
        #expect(try await Conversations.turns(of: id, owner: "user_2", in: pool).isEmpty)
        var foreign = ending("1", hash: [9])
        foreign.ownerID = "user_2"
        #expect(try await !Conversations.finish(foreign, in: pool))
        #expect(try await !Conversations.delete(id, owner: "user_2", in: pool))
        #expect(try await Conversations.deleteAll(owner: "user_2", in: pool) == 0)
        let mine = try await Conversations.begin(
            beginning("2", count: 1, owner: "user_2"), in: pool)
        #expect(mine != id)
        #expect(try await Conversations.deleteAll(owner: "user_1", in: pool) == 1)
        #expect(try await Conversations.turns(of: id, owner: "user_1", in: pool).isEmpty)
        await pool.close()
    }

    @Test("are listed page by page, last used first")
    func pages() async throws {
        let pool = try await makeConversations()
        let now = Timestamp.now
        for number in 0..<5 {
            _ = try await Conversations.open(
                owner: "user_1", externalID: "chat-\(number)", newID: "conv_\(number)",
                now: now.adding(seconds: number / 2), in: pool)
        }
        var seen: [String] = []
        while true {
            let page = try await Conversations.list(
                owner: "user_1", after: seen.last, limit: 2, in: pool)
            if page.isEmpty { break }
            seen += page.map(\.id)
        }
        #expect(seen == ["conv_4", "conv_3", "conv_2", "conv_1", "conv_0"])
        await #expect(throws: UnknownCursor.self) {
            try await Conversations.list(owner: "user_2", after: "conv_4", limit: 2, in: pool)
        }
        await pool.close()
    }
}
