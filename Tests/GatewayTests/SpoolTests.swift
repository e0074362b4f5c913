import EventLoop
import Foundation
import JSON
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("What waits for the database", .serialized)
@LoopActor
final class SpoolTests {
    private let ground: TemporaryFolder
    private var folder: String { ground.path }

    init() throws { ground = try TemporaryFolder("spool") }

    private static let message = Array(
        #"{"role":"user","content":"a\u0000 \n [1.50, 1e400]"}"#.utf8)

    private static func beginning(_ number: Int, named name: String? = "chat") -> Beginning {
        var beginning = Beginning(
            ownerID: "user_1", externalID: name, newID: "conv_\(number)",
            requestID: "r\(number)", now: Timestamp(microseconds: 1_700_000_000_123_456))
        let hash = [UInt8](repeating: UInt8(number), count: 32)
        beginning.turns = [
            NewTurn(
                id: "turn_q\(number)", parentHash: nil, hash: hash, position: 0, role: "user",
                content: Array(#"{"role":"user","content":"hello"}"#.utf8)[...])
        ]
        beginning.answer = NewAnswer(
            id: "turn_a\(number)", parentHash: hash, position: 1, model: "echo",
            worker: "worker-dead")
        return beginning
    }

    private static func ending(_ number: Int) -> Ending {
        Ending(
            answerID: "turn_a\(number)", ownerID: "user_1",
            hash: [UInt8](repeating: UInt8(100 + number), count: 32),
            content: Array(#"{"role":"assistant","content":"hi"}"#.utf8)[...], status: .completed,
            now: Timestamp(microseconds: 1_700_000_001_000_000))
    }

    private static func usage(_ number: Int) -> UsageRow {
        UsageRow(
            id: "usage_\(number)", createdAt: Timestamp(microseconds: 1_700_000_000_123_456),
            requestID: "r\(number)", route: "POST /v1/chat/completions")
    }

    private static func store() async throws -> PostgreSQL.Pool {
        let pool = try await makeStore()
        try await Usage.prepareMonths(at: .now, in: pool)
        try await Users.create(
            User(id: "user_1", source: .local, name: "Ann", role: "user", createdAt: .now),
            in: pool)
        return pool
    }

    private static func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
    }

    private static func usageRows(_ pool: PostgreSQL.Pool) async throws -> Int {
        try await count(Statement("count usage", "SELECT count(*) FROM usage"), in: pool)
    }

    private static func conversations(_ pool: PostgreSQL.Pool) async throws -> Int {
        try await count(
            Statement("count conversations", "SELECT count(*) FROM conversations"), in: pool)
    }

    private static func count(
        _ statement: Statement, in pool: PostgreSQL.Pool
    ) async throws -> Int {
        try await pool.query(statement).first?.integer(0) ?? -1
    }

    @Test("F1: waits for a slow disk without stopping the loop", .timeLimit(.minutes(1)))
    func slowDisk() async throws {
        let pool = try await Self.store()
        let spool = makeSpool(pool, in: folder)
        let first = await spool.store(.usage([Self.usage(1)]), behindOthers: true)
        #expect(first == .file)
        // The process that writes stands still, so the second record stays on its way.
        let writers = try Self.children().filter { Self.name(of: $0) == "archway-spool" }
        for writer in writers { kill(writer, SIGSTOP) }
        defer { for writer in writers { kill(writer, SIGKILL) } }
        #expect(!writers.isEmpty)
        let second = Task { @LoopActor in
            await spool.store(.usage([Self.usage(2)]), behindOthers: true)
        }
        spool.watch()
        #expect(try await waitUntil { try await Self.usageRows(pool) == 1 })
        for writer in writers { kill(writer, SIGCONT) }
        #expect(await second.value == .file)
        #expect(try await waitUntil { try await Self.usageRows(pool) == 2 })
    }

    /// Children of all threads.
    private static func children() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").flatMap { thread in
            let path = "/proc/self/task/\(thread)/children"
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    private static func name(of process: Int32) -> String {
        let text = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .newlines)
    }

    @Test("comes back from its bytes as it was")
    func roundTrip() throws {
        var ending = Self.ending(1)
        ending.content = Self.message[...]
        var completion = NewCompletion(id: "chatcmpl-1", createdAt: .now, model: "m \"x\"")
        completion.metadata = Array(#"{"a":"b"}"#.utf8)
        completion.messages = Array("[ 1 ]".utf8)[...]
        completion.reply = Self.message
        ending.completion = completion
        var usage = Self.usage(1)
        (usage.userID, usage.firstEventMilliseconds, usage.kind) = ("user_1", 7, .side)
        (usage.source, usage.ended, usage.status) = (.provider, .incomplete, 499)
        (usage.promptTokens, usage.completionTokens, usage.totalTokens) = (1, 2, 3)
        var audit = AuditRow(id: "audit_1", at: .now, actor: "host", action: "token.minted")
        audit.details = Array(#"{"user":"x"}"#.utf8)
        let records: [SpoolRecord] = [
            .beginning(Self.beginning(1)), .beginning(Self.beginning(2, named: nil)),
            .ending(Self.ending(1)), .ending(ending), .usage([usage, Self.usage(2)]),
            .audit(audit),
        ]
        for record in records {
            let again = try #require(SpoolRecord(record.bytes))
            #expect(again.bytes == record.bytes)
        }
        guard case .ending(let read)? = SpoolRecord(SpoolRecord.ending(ending).bytes) else {
            Issue.record("no ending")
            return
        }
        #expect(Array(read.content) == Self.message)
        #expect(read.completion?.reply == Self.message)
        guard case .usage(let rows)? = SpoolRecord(SpoolRecord.usage([usage]).bytes) else {
            Issue.record("no usage")
            return
        }
        #expect(rows == [usage])
        for text in [
            "", "{}", #"{"kind":"usage","content":[{}]}"#, #"{"kind":"ending","content":{}}"#,
        ] {
            #expect(SpoolRecord(Array(text.utf8)) == nil)
        }
    }

    @Test("is found whole in its frame, or not at all")
    func frames() throws {
        let record = Array("one record\nof two lines".utf8)
        let frame = try #require(SpoolFrame.encode(record))
        #expect(SpoolFrame.decode((frame + frame)[...]) == .record(record, length: frame.count))
        for length in 0..<frame.count {
            #expect(SpoolFrame.decode(frame.prefix(length)) == .part)
        }
        for index in frame.indices {
            var changed = frame
            changed[index] ^= 1
            #expect(SpoolFrame.decode(changed[...]) == .damage)
        }
        #expect(SpoolFrame.decode(Array(repeating: 0x78, count: 40)[...]) == .damage)
    }

    @Test("goes to the database in order when that is back, once, and leaves no file")
    func replay() async throws {
        let server = try await TemporaryPostgreSQL.make()
        let pool = PostgreSQL.Pool(
            conninfo: try await server.makeDatabase(), size: 2, statementTimeout: 5000)
        try await Migrations.apply(at: .now, in: pool)
        try await Users.create(
            User(id: "user_1", source: .local, name: "Ann", role: "user", createdAt: .now),
            in: pool)
        let spool = makeSpool(pool, in: folder)
        spool.watch()
        #expect(await spool.store(.usage([Self.usage(0)])) == .database)

        try await server.stop()
        #expect(await waitUntil { !pool.isHealthy })
        #expect(await spool.store(.beginning(Self.beginning(1))) == .file)
        #expect(await spool.store(.usage([Self.usage(1)])) == .file)
        #expect(await spool.store(.ending(Self.ending(1)), behindOthers: true) == .file)
        let name = try #require(try Self.files(folder).first)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
        #expect(attributes[.posixPermissions] as? Int == 0o600)

        try await server.start()
        #expect(await waitUntil { (try? Self.files(folder))?.isEmpty == true })
        let turns = try await Conversations.turns(of: "conv_1", owner: "user_1", in: pool)
        #expect(turns.map(\.id) == ["turn_q1", "turn_a1"])
        #expect(turns.map(\.status) == [.completed, .completed])
        #expect(try await Self.usageRows(pool) == 2)
        // Afterwards all goes to the database again.
        #expect(await spool.store(.usage([Self.usage(2)])) == .database)
        await pool.close()
        try await server.stop()
    }

    @Test("is taken over from a worker that is dead, with its unfinished answers, also twice")
    func adoption() async throws {
        let pool = try await Self.store()
        let records: [SpoolRecord] = [
            .beginning(Self.beginning(1)), .beginning(Self.beginning(2, named: nil)),
            .ending(Self.ending(1)), .usage([Self.usage(1)]),
        ]
        let frames = records.compactMap { SpoolFrame.encode($0.bytes) }
        #expect(frames.count == 4)
        let replay = SpoolReplay(pool, Log(process: "test"))
        for _ in 0..<2 {
            // The machine died while the last frame was being written.
            let torn = frames[3].prefix(20)
            let path = folder + "/worker-dead.1.spool"
            try Data(frames.joined() + torn).write(to: URL(filePath: path))
            await replay.adopt(in: folder, except: "worker-test")
            #expect(try Self.files(folder).isEmpty)
            let first = try await Conversations.turns(of: "conv_1", owner: "user_1", in: pool)
            #expect(first.map(\.status) == [.completed, .completed])
            let second = try await Conversations.turns(of: "conv_2", owner: "user_1", in: pool)
            #expect(second.map(\.status) == [.completed, .incomplete])
            #expect(try await Self.usageRows(pool) == 1)
            #expect(try await Self.conversations(pool) == 2)
        }
    }

    @Test("of a worker that lives is nobody else's, and is safe although the worker dies at once")
    func locking() async throws {
        let pool = try await Self.store()
        let file = try SpoolFile(folder + "/worker-other.1.spool", writtenBy: Deployment.program)
        let frame = try #require(SpoolFrame.encode(SpoolRecord.usage([Self.usage(1)]).bytes))
        #expect(await file.append(frame))
        let replay = SpoolReplay(pool, Log(process: "test"))
        await replay.adopt(in: folder, except: "worker-test")
        #expect(try await Self.usageRows(pool) == 0)
        file.close()
        let isAdopted = try await waitUntil {
            await replay.adopt(in: folder, except: "worker-test")
            return try await Self.usageRows(pool) == 1
        }
        #expect(isAdopted)
        #expect(try Self.files(folder).isEmpty)
    }

    @Test("F1: is bounded, and a disk that is full or cannot be written to holds up nobody")
    func bounds() async throws {
        let dead = makeDeadPool()
        let small = makeSpool(dead, in: folder, limit: 1000)
        var places: [Spool.Place] = []
        for number in 0..<5 { places.append(await small.store(.usage([Self.usage(number)]))) }
        #expect(places.first == .file && places.last == .lost)
        let nowhere = makeSpool(dead)
        let started = Loop.now
        for number in 0..<20 {
            #expect(await nowhere.store(.usage([Self.usage(number)])) == .lost)
        }
        // None of the twenty waited the second that a database is given.
        #expect(Loop.now - started < 10_000)
        // A folder stands where the file should be.
        let odd = folder + "/odd"
        for number in 1...9 {
            try FileManager.default.createDirectory(
                atPath: "\(odd)/worker-test.\(number).spool", withIntermediateDirectories: true)
        }
        let refused = makeSpool(dead, in: odd)
        #expect(await refused.store(.usage([Self.usage(1)])) == .lost)
        // Whatever is written there finds no room (`ENOSPC`), until there is some.
        let full = folder + "/full"
        try FileManager.default.createDirectory(
            atPath: full, withIntermediateDirectories: true)
        let path = full + "/worker-test.1.spool"
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: "/dev/full")
        let filled = makeSpool(dead, in: full)
        for number in 0..<3 {
            #expect(await filled.store(.usage([Self.usage(number)])) == .lost)
        }
    }

    @Test("that the database will never take is left behind, and holds up nothing")
    func poison() async throws {
        let pool = try await Self.store()
        var stranger = Self.beginning(1)
        stranger.ownerID = "user_nobody"
        let records: [[UInt8]] = [
            SpoolRecord.beginning(stranger).bytes, Array("no record".utf8),
            SpoolRecord.usage([Self.usage(1)]).bytes,
        ]
        let frames = records.compactMap(SpoolFrame.encode)
        try Data(frames.joined()).write(to: URL(filePath: folder + "/worker-dead.1.spool"))
        await SpoolReplay(pool, Log(process: "test")).adopt(in: folder, except: "worker-test")
        #expect(try Self.files(folder).isEmpty)
        #expect(try await Self.usageRows(pool) == 1)
        #expect(try await Self.conversations(pool) == 0)
    }

    @Test("that was changed on the disk is kept aside, and what came before it is stored")
    func damage() async throws {
        let pool = try await Self.store()
        var frames = (1...3).compactMap {
            SpoolFrame.encode(SpoolRecord.usage([Self.usage($0)]).bytes)
        }
        frames[1][40] ^= 1
        try Data(frames.joined()).write(to: URL(filePath: folder + "/worker-dead.1.spool"))
        await SpoolReplay(pool, Log(process: "test")).adopt(in: folder, except: "worker-test")
        #expect(try Self.files(folder) == ["worker-dead.1.spool.damaged"])
        #expect(try await Self.usageRows(pool) == 1)
    }
}
