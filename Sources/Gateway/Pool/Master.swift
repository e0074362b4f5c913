internal import Crypto
internal import EventLoop
internal import JSON
internal import System

/// The process that holds the socket and the workers: starts them, restarts one that dies, replaces one that hangs,
/// reloads them one by one, and lets them finish before it ends. It serves nothing and reads no request.
@LoopActor
final class Master {
    /// Milliseconds without a sign of life after which a worker is replaced.
    private static let patience: Int64 = 12_000
    /// Milliseconds that a worker may take to begin.
    private static let startPatience: Int64 = 30_000
    /// Lives shorter than this, in milliseconds, count as failed starts.
    private static let shortLife: Int64 = 5_000
    private static let longestPause = 5_000
    /// The same after a worker that had begun to serve: it was most likely a request, and others wait.
    private static let longestPauseAfterCrash = 500
    /// Requests of a dead worker that are named.
    private static let namedRequests = 8
    /// Milliseconds between two looks at the workers.
    private static let watchInterval = 1_000

    fileprivate final class Process {
        let child: Subprocess
        let instanceID: String
        let channel: ControlChannel
        /// Its own on the board of providers.
        let column: Int
        /// Where it notes what it has under way.
        let account: SharedWords
        let startedAt = Loop.now
        var lastSign = Loop.now
        var isReady = false
        /// Told to finish; nobody takes its place.
        var isRetiring = false

        init(
            _ child: Subprocess, _ instanceID: String, _ column: Int, _ channel: ControlChannel,
            _ account: SharedWords
        ) {
            self.child = child
            self.instanceID = instanceID
            self.column = column
            self.channel = channel
            self.account = account
        }
    }

    private let path: String
    private let socket: Int32
    /// What all workers know of providers, also those to come.
    private let boardDescriptor: Int32
    private let board: ProviderBoard
    /// Somebody else keeps the socket when this process ends: then it need not wait for its workers.
    private let isSocketKept: Bool
    private var configuration: Configuration
    private let load: () throws -> Configuration
    private let log = Log(process: "master")
    /// By instance id.
    private var members: [String: Process] = [:]
    private var failures = 0
    private var isReloading = false
    private var reloadsAgain = false
    private var watchedAt = Loop.now
    private var isEnding = false
    private let changed = Gate()
    private var hasNotifiedReady = false

    /// `path` is the configuration file that every worker reads; `load` reads and checks it here.
    init(
        _ path: String, socket: Int32, isSocketKept: Bool,
        load: @escaping () throws -> Configuration
    ) throws {
        self.path = path
        self.socket = socket
        self.isSocketKept = isSocketKept
        self.load = load
        configuration = try load()
        boardDescriptor = try SharedWords.make(count: ProviderBoard.size)
        board = try ProviderBoard(boardDescriptor)
    }

    /// Runs until SIGTERM or SIGINT, and returns the exit code.
    func run() async -> Int32 {
        do {
            let signals = try Signals([
                Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.child, Signal.pipe,
            ]) { [self] in received($0) }
            fill()
            watch()
            while !(isEnding && (isSocketKept || members.isEmpty)) { try await changed.pass() }
            withExtendedLifetime(signals) {}
            return 0
        } catch {
            log.event("master_failed", [Log.detail(error)])
            return 1
        }
    }

    private func received(_ signal: Int32) {
        switch signal {
        case Signal.terminate, Signal.interrupt: end()
        case Signal.hangUp: spawn { [self] in await reload() }
        case Signal.child: reap()
        default: break
        }
    }

    // MARK: Workers

    private var wanted: Int { configuration.workers ?? Host.processors }

    /// Those that were not told to finish.
    private var active: [Process] { members.values.filter { !$0.isRetiring } }

    /// Starts what is missing. While a reload has old and new ones side by side, nothing is.
    private func fill() {
        while !isEnding, active.count < wanted, start() {}
    }

    private func start() -> Bool {
        do {
            let member = try launch("worker-" + Hex.encode((try? Random.bytes(6)) ?? []))
            members[member.instanceID] = member
            log.event(
                "worker_started",
                [
                    Process.describe(member.instanceID),
                    Member("pid", .integer(Int(member.child.id))),
                ])
            return true
        } catch {
            log.event("worker_not_started", [Log.detail(error)])
            failures += 1
            fillLater()
            return false
        }
    }

    private func launch(_ instanceID: String) throws -> Process {
        let column = try freeColumn()
        board.clear(column: column)
        let (ours, theirs) = try UnixSocket.pair()
        defer { Descriptor.close(theirs) }
        let account = try SharedWords.make(count: RunningRequests.size)
        defer { Descriptor.close(account) }
        let words = try SharedWords(account, count: RunningRequests.size)
        let channel = try ControlChannel(
            ours, received: { [self] in received($0, from: instanceID) }, ended: {})
        var launch = Subprocess.Launch(
            "/proc/self/exe",
            [
                "worker", "--config", path, "--instance", instanceID, "--column", "\(column)",
            ])
        launch.descriptors = [
            WorkerProcess.socket: socket, WorkerProcess.channel: theirs,
            WorkerProcess.board: boardDescriptor, WorkerProcess.account: account,
        ]
        do {
            return Process(try Subprocess(launch), instanceID, column, channel, words)
        } catch {
            channel.close()
            throw error
        }
    }

    private func freeColumn() throws(PoolError) -> Int {
        let taken = Set(members.values.map(\.column))
        guard let free = (0..<ProviderBoard.columns).first(where: { !taken.contains($0) }) else {
            throw .tooManyWorkers
        }
        return free
    }

    private func received(_ message: ControlChannel.Message, from id: String) {
        guard let member = members[id] else { return }
        member.lastSign = Loop.now
        switch message {
        case .alive: break
        case .ready: begin(member)
        case .userChanged:
            for other in members.values where other !== member { other.channel.send(message) }
        }
    }

    private func begin(_ member: Process) {
        member.isReady = true
        if !hasNotifiedReady {
            hasNotifiedReady = true
            ServiceManager.notify("READY=1\nSTATUS=Serving")
        }
        changed.open()
    }

    private func reap() {
        for member in Array(members.values) {
            guard let ending = member.child.ending() else { continue }
            members[member.instanceID] = nil
            board.clear(column: member.column)
            member.channel.close()
            if !member.isRetiring || !ending.isSuccess { report(ending, member) }
            if !isEnding && !member.isRetiring { replace(member) }
            changed.open()
        }
    }

    private func report(_ ending: Subprocess.Ending, _ member: Process) {
        log.event(
            "worker_died",
            [
                Process.describe(member.instanceID),
                Member("ending", .string("\(ending)")),
            ] + Self.requests(of: member))
    }

    /// What the worker had under way, the likeliest cause of its end first.
    private static func requests(of member: Process) -> [Member] {
        let ids = RunningRequests.ids(in: member.account)
        guard !ids.isEmpty else { return [] }
        return [
            Member("requests", .array(ids.prefix(namedRequests).map { .string($0) })),
            Member("running", .integer(ids.count)),
        ]
    }

    /// At once after a long life; after short ones with a growing pause, so that a worker which cannot live does not
    /// burn the machine.
    private func replace(_ member: Process) {
        if Loop.now - member.startedAt >= Self.shortLife { failures = 0 } else { failures += 1 }
        if failures <= 3 { return fill() }
        fillLater(atMost: member.isReady ? Self.longestPauseAfterCrash : Self.longestPause)
    }

    private func fillLater(atMost longest: Int = longestPause) {
        let pause = min(longest, 100 << min(failures, 6))
        Loop.after(milliseconds: pause) { [self] in fill() }
    }

    /// Replaces workers whose loop no longer turns, and tells systemd that the master's does.
    private func watch() {
        let now = Loop.now
        // If it was the master that stood still, the signs of life lie there unread.
        let isLate = now - watchedAt > Int64(3 * Self.watchInterval)
        watchedAt = now
        for member in members.values where !isLate {
            let silence = now - member.lastSign
            if silence > (member.isReady ? Self.patience : Self.startPatience) {
                log.event(
                    "worker_hangs",
                    [Process.describe(member.instanceID)] + Self.requests(of: member))
                member.child.send(Signal.kill)
            }
        }
        ServiceManager.notify("WATCHDOG=1")
        Loop.after(milliseconds: Self.watchInterval) { [self] in watch() }
    }

    // MARK: Reload and end

    /// Reads the file again. A request that comes meanwhile is served afterwards, as the file may have changed again.
    private func reload() async {
        reloadsAgain = true
        guard !isReloading else { return }
        isReloading = true
        while reloadsAgain, !isEnding {
            reloadsAgain = false
            do {
                configuration = try load()
                log.event("reload")
                await replaceAll()
            } catch {
                log.event("reload_refused", [Member("detail", .string("\(error)"))])
            }
        }
        isReloading = false
    }

    /// One new worker after the other; each old one finishes its requests once a new one accepts. If a new one dies
    /// instead, the old ones that are left go on.
    private func replaceAll() async {
        let old = Set(active.map(\.instanceID))
        while !isEnding {
            let stale = active.filter { old.contains($0.instanceID) }
            if active.count - stale.count < wanted {
                guard start() else { return log.event("reload_stopped") }
            } else if stale.isEmpty {
                return
            }
            for fresh in active where !old.contains(fresh.instanceID) {
                guard await isReady(fresh) else { return log.event("reload_stopped") }
            }
            if let next = active.first(where: { old.contains($0.instanceID) }) { retire(next) }
        }
    }

    private func isReady(_ member: Process) async -> Bool {
        while !member.isReady {
            guard members[member.instanceID] != nil, !isEnding else { return false }
            do { try await Loop.sleep(milliseconds: 10) } catch { return false }
        }
        return members[member.instanceID] != nil
    }

    private func retire(_ member: Process) {
        member.isRetiring = true
        member.child.send(Signal.terminate)
    }

    /// The workers finish what they have begun. This process waits for them, unless it is in the way of another one:
    /// whoever keeps the socket starts the next master when this one has ended, and until then new requests wait.
    private func end() {
        guard !isEnding else { return }
        isEnding = true
        ServiceManager.notify("STOPPING=1")
        log.event("draining")
        for member in members.values { retire(member) }
        // Nobody accepts any more: better refused than left waiting.
        if !isSocketKept { Descriptor.replaceByNothing(socket) }
        changed.open()
    }
}

extension Master.Process {
    fileprivate static func describe(_ instanceID: String) -> Member {
        Member("worker", .string(instanceID))
    }
}
