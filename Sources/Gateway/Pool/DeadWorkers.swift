internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store
internal import System

/// Ends what workers of this host left unfinished when they died: their answers become incomplete, and the names of
/// their requests free. Every worker looks for the dead and is looked for itself, so that no master is needed for it,
/// and what happened while nobody was there is found by the next start.
@LoopActor
final class DeadWorkers {
    /// Milliseconds between two looks.
    private static let interval = 1000
    /// Milliseconds that PostgreSQL may take, beyond the statement timeout, to end what a dead worker had sent.
    private static let margin: Int64 = 1000

    /// A dead worker whose unfinished work was ended once.
    private struct Settled {
        let instanceID: String
        /// Keeps the others away.
        let lock: SystemFile.Handle
        let at = Loop.now
    }

    private let pool: Pool
    private let log: Log
    private let folder: String
    private let life: LifeFile
    /// Milliseconds after which no statement of a dead worker runs any more.
    private let patience: Int64
    /// By the paths of their life files.
    private var settled: [String: Settled] = [:]
    /// Dead workers of whom the log says already that it did not work.
    private var refused: Set<String> = []
    /// The own life file could not be made, and the log says so.
    private var isMissing = false

    init(_ configuration: Configuration, instanceID: String, pool: Pool, log: Log) {
        self.pool = pool
        self.log = log
        folder = configuration.spool
        life = LifeFile(in: configuration.spool, of: instanceID)
        patience = Int64(configuration.statementTimeout * 1000) + Self.margin
    }

    /// Makes this worker known as living, at once, and looks for dead ones as long as the process lives.
    func watch() {
        hold()
        spawn { [weak self] in
            await self?.look()
            Loop.after(milliseconds: Self.interval) { self?.watch() }
        }
    }

    /// What cannot be done now, or was undone, is done at the next look.
    private func hold() {
        do throws(SystemError) {
            try life.hold()
            isMissing = false
        } catch {
            if !isMissing { log.event("life_file_failed", [Log.detail(error)]) }
            isMissing = true
        }
    }

    private func look() async {
        guard pool.isHealthy else { return }
        // The last statement of a worker may be executed after its death, and after the first look at it.
        for (path, found) in settled where Loop.now - found.at >= patience {
            guard await settle(found.instanceID) else { continue }
            SystemFile.remove(path)
            settled[path] = nil
        }
        for name in SystemFile.names(in: folder) where name.hasSuffix(LifeFile.suffix) {
            let (path, id) = ("\(folder)/\(name)", String(name.dropLast(LifeFile.suffix.count)))
            guard settled[path] == nil, let lock = try? SystemFile.lockedIfThere(path),
                await settle(id)
            else { continue }
            settled[path] = Settled(instanceID: id, lock: lock)
        }
    }

    /// False when the database does not take it now.
    private func settle(_ instanceID: String) async -> Bool {
        let author = Member("author", .string(instanceID))
        do {
            let (turns, keys) = try await Self.settle(instanceID, in: pool)
            refused.remove(instanceID)
            guard turns + keys > 0 else { return true }
            log.event(
                "abandoned",
                [author, Member("turns", .integer(turns)), Member("keys", .integer(keys))])
            return true
        } catch {
            guard refused.insert(instanceID).inserted else { return false }
            log.event("abandon_failed", [author, Log.detail(error)])
            return false
        }
    }

    /// Ends what a worker that is dead left unfinished: how many answers, and how many requests with names.
    static func settle(
        _ instanceID: String, in pool: Pool
    ) async throws -> (turns: Int, keys: Int) {
        let turns = try await Conversations.abandon(worker: instanceID, at: .now, in: pool)
        return (turns, try await IdempotencyKeys.abandon(worker: instanceID, in: pool))
    }
}
