internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import System

/// The life of a worker process: accept, serve, drain, exit. Descriptor 0 is the listening socket, 3 the channel to
/// the master, 4 what workers share about providers, 5 that in which the master finds what was under way.
@LoopActor
final class WorkerProcess {
    static let socket: Int32 = 0
    static let channel: Int32 = 3
    static let board: Int32 = 4
    static let account: Int32 = 5
    /// Milliseconds between two signs of life.
    private static let heartbeat = 1000
    /// Seconds after the drain timeout at which even a worker that hangs has ended.
    private static let lastSeconds: UInt32 = 15

    private let worker: Worker
    private let ending = Gate()
    private var isEnding = false

    /// Runs the process and returns its exit code. `column` is its own on the board of providers.
    nonisolated static func run(
        _ configuration: Configuration, instanceID: String, column: Int
    ) -> Int32 {
        Host.setName("archway-worker")
        let descriptors = Host.raiseDescriptorLimit()
        Host.returnsLargeMemory()
        let database: Settings
        do throws(DatabaseError) {
            database = try Settings(conninfo: configuration.database.exposed, resolvesNames: true)
        } catch {
            CommandLineReport.fail("database: \(error)")
            return 1
        }
        return Loop.run {
            let seat: WorkerSeat
            do throws(SystemError) {
                seat = WorkerSeat(board: try ProviderBoard(board), column: column)
            } catch {
                CommandLineReport.fail("board of providers: \(error)")
                return 1
            }
            Descriptor.close(board)
            let worker = Worker(
                configuration, instanceID: instanceID, database: database, seat: seat)
            worker.limitStreams(byDescriptors: descriptors)
            return await WorkerProcess(worker).serve()
        } ?? 1
    }

    private init(_ worker: Worker) {
        self.worker = worker
    }

    private func serve() async -> Int32 {
        do {
            let signals = try Signals([
                Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.pipe,
            ]) {
                [self] in
                // The terminal's signals are the master's affair.
                if $0 == Signal.terminate { end() }
            }
            let channel = try ControlChannel(
                Self.channel, received: { [worker] in worker.received($0) },
                ended: { [self] in end() })
            worker.onUserChange = { channel.send(.userChanged($0)) }
            try await checkThreads()
            // Whatever the first request leaves unfinished, somebody shall find.
            worker.deadWorkers.watch()
            let account = try SharedWords(Self.account, count: RunningRequests.size)
            try worker.listen(on: Self.socket, register: RunningRequests(account))
            channel.send(.ready)
            beat(channel)
            worker.spool.watch()
            worker.log.event("worker_ready")
            while !isEnding { try await ending.pass() }
            // The master may be gone, and nobody notice that this loop stands still.
            Host.endsLatest(seconds: UInt32(worker.configuration.drainTimeout) + Self.lastSeconds)
            await worker.drain()
            worker.log.event("worker_ended")
            withExtendedLifetime(signals) {}
            return 0
        } catch {
            worker.log.event("worker_failed", [Log.detail(error)])
            return 1
        }
    }

    private func end() {
        isEnding = true
        ending.open()
    }

    private func beat(_ channel: ControlChannel) {
        channel.send(.alive)
        Loop.after(milliseconds: Self.heartbeat) { [self] in beat(channel) }
    }

    /// The house stands on one thread. If a resumed task ever lands elsewhere, because of another compiler or
    /// runtime, that must show here and not as a race.
    private func checkThreads() async throws {
        try await Loop.sleep(milliseconds: 1)
        let threads = Host.threads
        guard threads == 1 else { throw PoolError.tooManyThreads(threads) }
    }
}

/// Why a pool, or a process of it, cannot start.
enum PoolError: Error, CustomStringConvertible {
    case tooManyThreads(Int)
    case tooManyWorkers

    var description: String {
        switch self {
        case .tooManyThreads(let count): "a worker has \(count) threads instead of one"
        case .tooManyWorkers:
            "\(ProviderBoard.columns) workers run, those included that finish what they have begun"
        }
    }
}
