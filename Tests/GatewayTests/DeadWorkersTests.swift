import EventLoop
import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite("What dead workers left unfinished")
@LoopActor
final class DeadWorkersTests {
    private let ground: TemporaryFolder
    private var folder: String { ground.path }

    init() throws { ground = try TemporaryFolder("life") }

    private static func files(_ folder: String) -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    }

    private static func store() async throws -> PostgreSQL.Pool {
        let pool = try await makeStore()
        try await Users.create(
            User(id: "user_1", source: .local, name: "Ann", role: "user", createdAt: .now),
            in: pool)
        return pool
    }

    private static func watching(
        _ folder: String, _ pool: PostgreSQL.Pool, as instanceID: String = "worker-test"
    ) -> DeadWorkers {
        var configuration = Configuration()
        configuration.spool = folder
        configuration.statementTimeout = 0.5
        let watching = DeadWorkers(
            configuration, instanceID: instanceID, pool: pool, log: Log(process: "test"))
        watching.watch()
        return watching
    }

    /// Stores an answer that a worker begins, in a conversation of its own.
    private static func begin(_ id: String, by worker: String, in pool: PostgreSQL.Pool)
        async throws
    {
        var beginning = Beginning(
            ownerID: "user_1", externalID: id, newID: "conv_" + id, requestID: id, now: .now)
        beginning.answer = NewAnswer(
            id: "turn_" + id, parentHash: nil, position: 0, model: "echo", worker: worker)
        _ = try await Conversations.begin(beginning, in: pool)
    }

    private static func status(_ id: String, in pool: PostgreSQL.Pool) async throws -> Turn.Status?
    {
        try await Conversations.turns(of: "conv_" + id, owner: "user_1", in: pool).first?.status
    }

    @Test("is ended, also what the database executes after their death; the living keep theirs")
    func ending() async throws {
        let pool = try await Self.store()
        let living = LifeFile(in: folder, of: "worker-living")
        try living.hold()
        try await Self.begin("living", by: "worker-living", in: pool)
        try await Self.begin("early", by: "worker-dead", in: pool)
        // It is held only as long as this line takes.
        try LifeFile(in: folder, of: "worker-dead").hold()
        let watching = Self.watching(folder, pool)
        for id in ["early", "late"] {
            let isEnded = try await waitUntil { try await Self.status(id, in: pool) == .incomplete }
            #expect(isEnded, "\(id)")
            if id == "early" { try await Self.begin("late", by: "worker-dead", in: pool) }
        }
        let isForgotten = await waitUntil {
            Self.files(folder) == ["worker-living.life", "worker-test.life"]
        }
        #expect(isForgotten)
        #expect(try await Self.status("living", in: pool) == .inProgress)
        withExtendedLifetime((living, watching)) {}
        await pool.close()
    }

    @Test("is left to others by whoever cannot end it")
    func sharing() async throws {
        let pool = try await Self.store()
        try await Self.begin("early", by: "worker-dead", in: pool)
        try LifeFile(in: folder, of: "worker-dead").hold()
        let helpless = Self.watching(folder, makeDeadPool(), as: "worker-helpless")
        try await Loop.sleep(milliseconds: 200)
        let watching = Self.watching(folder, pool)
        let isEnded = try await waitUntil {
            try await Self.status("early", in: pool) == .incomplete
        }
        #expect(isEnded)
        withExtendedLifetime((helpless, watching)) {}
        await pool.close()
    }

    @Test("can be found as soon as there is a folder, and again after somebody has cleared it")
    func holding() async throws {
        let folder = self.folder + "/spool"
        try Data().write(to: URL(filePath: folder))
        let watching = Self.watching(folder, makeDeadPool())
        try await Loop.sleep(milliseconds: 100)
        try FileManager.default.removeItem(atPath: folder)
        for _ in 0..<2 {
            #expect(await waitUntil { Self.files(folder) == ["worker-test.life"] })
            try FileManager.default.removeItem(atPath: folder)
        }
        withExtendedLifetime(watching) {}
    }
}
