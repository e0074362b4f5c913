internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store
internal import System

/// Stores what must be stored: in the database, and while that cannot take it in a file of this host, from where it
/// goes to the database in the same order as soon as that is back. Each record counts once, however often it is stored.
@LoopActor
final class Spool {
    /// Where a record is now.
    enum Place: Sendable {
        case database, file
        /// Whatever it belonged to was deleted meanwhile.
        case nowhere
        /// It could not be stored, and is in the log.
        case lost
    }

    /// Milliseconds for the database to take a record, and for which it is not asked again when it did not.
    static let patience = 1000
    private static let pauseAfterSilence: Int64 = 2000
    /// Milliseconds between two looks whether something waits, and after which a spool that failed is tried again.
    private static let interval = 1000
    private static let pauseAfterFailure: Int64 = 5000

    private let pool: Pool
    private let log: Log
    private let folder: String
    private let instanceID: String
    /// Bytes that may wait.
    private let limit: Int
    /// Oldest first; the last one takes new records.
    private var files: [SpoolFile] = []
    private var fileCount = 0
    private var failedAt: Int64?
    private var silentSince: Int64?
    private let replay: SpoolReplay
    private var timer: Timer?

    private let program: String

    /// `program` is ours, which also writes the files.
    init(
        _ configuration: Configuration, instanceID: String, pool: Pool, log: Log,
        program: String = "/proc/self/exe"
    ) {
        self.program = program
        folder = configuration.spool
        limit = configuration.spoolLimit
        self.instanceID = instanceID
        self.pool = pool
        self.log = log
        replay = SpoolReplay(pool, log)
    }

    /// Stores a record. With `behindOthers` it goes into the file at once, where a record is that must come first.
    func store(_ record: SpoolRecord, behindOthers: Bool = false) async -> Place {
        if !behindOthers {
            do {
                let isStored = try await inTime { try await record.store(in: $0) }
                return isStored ? .database : .nowhere
            } catch let error as DatabaseError where error.kind == .unavailable {
            } catch {
                return lost(record, fullFace(of: error))
            }
        }
        return await keep(record) ? .file : lost(record, "the spool could not take it")
    }

    /// What `body` returns. Throws `DatabaseError` as soon as the database takes too long; the next ones do not wait
    /// for it, one after the other.
    func inTime<Result: Sendable>(
        _ body: @escaping @LoopActor @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        if let silentSince, Loop.now - silentSince < Self.pauseAfterSilence {
            throw DatabaseError.unavailable("it took too long a moment ago")
        }
        let result = try await Loop.within(milliseconds: Self.patience) { [pool] in
            try await body(pool)
        }
        guard let result else {
            silentSince = Loop.now
            throw DatabaseError.unavailable("storing took too long")
        }
        silentSince = nil
        return result
    }

    private func lost(_ record: SpoolRecord, _ detail: String) -> Place {
        log.event(
            "record_lost",
            [Member("record", .string("\(record)")), Member("detail", .string(detail))])
        return .lost
    }

    /// Puts a record into a file. True when it is on the disk.
    private func keep(_ record: SpoolRecord) async -> Bool {
        guard let frame = SpoolFrame.encode(record.bytes) else { return false }
        // One more try, with a new writer, if the first one has died.
        for _ in 0..<2 {
            guard let file = open() else { return false }
            guard files.reduce(frame.count, { $0 + $1.accepted }) <= limit else {
                log.event("spool_full", [Member("limit", .integer(limit))])
                return false
            }
            if await file.append(frame) { return true }
            guard file.hasEnded else { return false }
        }
        failedAt = Loop.now
        return false
    }

    private func open() -> SpoolFile? {
        if let file = files.last, !file.hasEnded { return file }
        if let failedAt, Loop.now - failedAt < Self.pauseAfterFailure { return nil }
        failedAt = nil
        do throws(SystemError) {
            try SystemFile.makeFolder(folder, mode: 0o700)
            fileCount += 1
            let file = try SpoolFile(
                "\(folder)/\(instanceID).\(fileCount)\(SpoolReplay.suffix)", writtenBy: program)
            files.append(file)
            log.event(
                "spooling", [Member("detail", "the database cannot take what is to be stored")])
            return file
        } catch {
            failedAt = Loop.now
            log.event("spool_failed", [Member("detail", .string(error.description))])
            return nil
        }
    }

    /// Looks after what waits, this worker's and that of workers which are dead, as long as the process lives.
    func watch() {
        timer = Loop.after(milliseconds: Self.interval) { [weak self] in
            spawn {
                await self?.sweep()
                self?.watch()
            }
        }
    }

    private func sweep() async {
        guard pool.isHealthy else { return }
        while let file = files.first {
            guard await replay.run(file) else { return }
            guard file.isIdle else {
                if file.replayed < file.durable { continue }
                // What is on its way to the disk arrives by an event of the loop, which must turn for that.
                break
            }
            SystemFile.remove(file.path)
            file.close()
            files.removeFirst()
        }
        await replay.adopt(in: folder, except: instanceID)
    }
}
