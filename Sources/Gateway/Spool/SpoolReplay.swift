internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import System

/// Brings what waits in files into the database, in the order in which it came.
@LoopActor
final class SpoolReplay {
    /// How the names of files end; they begin with the id of the worker that wrote them.
    static let suffix = ".spool"
    /// Milliseconds after which a record that meets a conflict is tried again.
    private static let pause = 50

    private let pool: Pool
    private let log: Log

    init(_ pool: Pool, _ log: Log) {
        self.pool = pool
        self.log = log
    }

    /// Replays what has come to the disk of a file of this worker's. False when the database failed again.
    func run(_ file: SpoolFile) async -> Bool {
        guard file.replayed < file.durable else { return true }
        var reader = SpoolReader(file.path, from: file.replayed)
        while file.replayed < file.durable {
            guard let found = reader.next() else {
                // It was durable, and is not there any more: somebody has cleared the folder.
                damaged(file.path)
                file.replayed = file.durable
                return true
            }
            guard await store(found.record) else { return false }
            file.replayed += found.length
        }
        log.event("spool_replayed", [Member("bytes", .integer(file.replayed))])
        return true
    }

    /// Takes over the files of workers that are dead: nobody holds the lock on them.
    func adopt(in folder: String, except living: String) async {
        for name in SystemFile.names(in: folder) where name.hasSuffix(Self.suffix) {
            let author = String(name.prefix { $0 != "." })
            guard author != living else { continue }
            let path = folder + "/" + name
            guard let lock = try? SystemFile.lockedIfThere(path) else { continue }
            guard await adopt(path, of: author) else { return }
            SystemFile.remove(path)
            withExtendedLifetime(lock) {}
        }
    }

    private func adopt(_ path: String, of author: String) async -> Bool {
        var reader = SpoolReader(path, from: 0)
        var count = 0
        while let found = reader.next() {
            guard await store(found.record) else { return false }
            count += 1
        }
        if reader.isDamaged { damaged(path) }
        do {
            // Of answers that it was writing, this file may hold the beginnings only.
            _ = try await DeadWorkers.settle(author, in: pool)
        } catch {
            return false
        }
        log.event(
            "spool_adopted",
            [Member("records", .integer(count)), Member("author", .string(author))])
        return true
    }

    /// False when the database cannot take it now. One that it will never take is logged and left behind.
    private func store(_ bytes: [UInt8]) async -> Bool {
        guard let record = SpoolRecord(bytes) else {
            log.event("record_lost", [Member("detail", "a record that cannot be read")])
            return true
        }
        while true {
            do {
                _ = try await record.store(in: pool)
                return true
            } catch let error as DatabaseError where error.kind == .conflict {
                do { try await Loop.sleep(milliseconds: Self.pause) } catch { return false }
            } catch let error as DatabaseError where error.kind == .unavailable {
                return false
            } catch {
                log.event(
                    "record_lost", [Member("record", .string("\(record)")), Log.detail(error)])
                return true
            }
        }
    }

    /// Keeps what cannot be read beside the others, for an operator to look at.
    private func damaged(_ path: String) {
        log.event("spool_damaged", [Member("file", .string(path))])
        try? SystemFile.link(path, as: path + ".damaged")
    }
}

/// Reads the frames of a file one after the other, a piece at a time.
struct SpoolReader {
    private static let pieceLength = 1 << 18

    private let file: SystemFile.Handle?
    private var offset: Int
    private var bytes: [UInt8] = []
    /// There is something in it that was changed. The beginning of a record at the end is not: whoever wrote it was
    /// stopped, and told nobody that it was kept.
    private(set) var isDamaged = false

    init(_ path: String, from offset: Int) {
        file = try? SystemFile.reading(path)
        self.offset = offset
    }

    /// The next record with the length of its frame; nil at the end.
    mutating func next() -> (record: [UInt8], length: Int)? {
        while true {
            switch SpoolFrame.decode(bytes[...]) {
            case .record(let record, let length):
                bytes.removeFirst(length)
                return (record, length)
            case .damage:
                isDamaged = true
                return nil
            case .part:
                let wanted = max(Self.pieceLength, SpoolFrame.frameLength(bytes[...]) ?? 0)
                let piece = file.map { SystemFile.read($0, at: offset, count: wanted) } ?? []
                guard !piece.isEmpty else { return nil }
                offset += piece.count
                bytes += piece
            }
        }
    }
}
