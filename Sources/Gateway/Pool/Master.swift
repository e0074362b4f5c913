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

    fileprivate final class Process {
        let child: Subprocess
        let instanceID: String
        let channel: ControlChannel
        let startedAt = Loop.now
        var lastSign = Loop.now
        var isReady = false
        /// Told to finish; nobody takes its place.
        var isRetiring = false

        init(_ child: Subprocess, _ instanceID: String, _ channel: ControlChannel) {
            self.child = child
            self.instanceID = instanceID
            self.channel = channel
        }
    }

    private let path: String
    private let socket: Int32
    private var configuration: Configuration
    private let load: () throws -> Configuration
    private let log = Log(process: "master")
    private var members: [Int32: Process] = [:]
    private var failures = 0
    private var isReloading = false
    private var isEnding = false
    private let changed = Gate()
    private var hasNotifiedReady = false

    /// `path` is the configuration file that every worker reads; `load` reads and checks it here.
    init(_ path: String, socket: Int32, load: @escaping () throws -> Configuration) throws {
        self.path = path
        self.socket = socket
        self.load = load
        configuration = try load()
    }

    /// Runs until SIGTERM or SIGINT, and returns the exit code.
    func run() async -> Int32 {
        do {
            let signals = try Signals([
                Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.child, Signal.pipe,
            ]) { [self] in received($0) }
            for _ in 0..<(configuration.workers ?? Host.processors) { start() }
            watch()
            while !(isEnding && members.isEmpty) { try await changed.pass() }
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

    @discardableResult
    private func start(insteadOf predecessor: String? = nil) -> Process? {
        do {
            let (ours, theirs) = try UnixSocket.pair()
            defer { Descriptor.close(theirs) }
            let instanceID = "worker-" + Hex.encode((try? Random.bytes(6)) ?? [])
            var launch = Subprocess.Launch(
                "/proc/self/exe", ["worker", "--config", path, "--instance", instanceID])
            if let predecessor { launch.arguments += ["--predecessor", predecessor] }
            launch.descriptors = [WorkerProcess.socket: socket, WorkerProcess.channel: theirs]
            let child = try Subprocess(launch)
            let channel = try ControlChannel(
                ours, received: { [self] in received($0, from: child.id) }, ended: {})
            let member = Process(child, instanceID, channel)
            members[child.id] = member
            log.event(
                "worker_started",
                [Process.describe(instanceID), Member("pid", .integer(Int(child.id)))])
            return member
        } catch {
            log.event("worker_not_started", [Log.detail(error)])
            startLater(insteadOf: predecessor)
            return nil
        }
    }

    private func received(_ message: ControlChannel.Message, from id: Int32) {
        guard let member = members[id] else { return }
        member.lastSign = Loop.now
        guard message == .ready else { return }
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
            members[member.child.id] = nil
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
            ])
    }

    /// At once after a long life; after short ones with a growing pause, so that a worker which cannot live does not
    /// burn the machine.
    private func replace(_ member: Process) {
        if Loop.now - member.startedAt >= Self.shortLife { failures = 0 } else { failures += 1 }
        if failures <= 3 {
            start(insteadOf: member.instanceID)
        } else {
            startLater(insteadOf: member.instanceID)
        }
    }

    private func startLater(insteadOf predecessor: String?) {
        let pause = min(Self.longestPause, 100 << min(failures, 6))
        Loop.after(milliseconds: pause) { [self] in
            if !isEnding { start(insteadOf: predecessor) }
        }
    }

    /// Replaces workers whose loop no longer turns, and tells systemd that the master's does.
    private func watch() {
        for member in members.values {
            let silence = Loop.now - member.lastSign
            if silence > (member.isReady ? Self.patience : Self.startPatience) {
                log.event("worker_hangs", [Process.describe(member.instanceID)])
                member.child.send(Signal.kill)
            }
        }
        ServiceManager.notify("WATCHDOG=1")
        Loop.after(milliseconds: 1000) { [self] in watch() }
    }

    // MARK: Reload and end

    /// One new worker after the other; each old one finishes its requests once a new one accepts. A broken file
    /// changes nothing.
    private func reload() async {
        guard !isReloading, !isEnding else { return }
        isReloading = true
        defer { isReloading = false }
        do {
            configuration = try load()
        } catch {
            log.event("reload_refused", [Member("detail", .string("\(error)"))])
            return
        }
        log.event("reload")
        let old = members.values.filter { !$0.isRetiring }
        let wanted = configuration.workers ?? Host.processors
        for index in 0..<max(wanted, old.count) {
            if index < wanted, let fresh = start() {
                guard await isReady(fresh) else { return }
            }
            if index < old.count { retire(old[index]) }
        }
    }

    private func isReady(_ member: Process) async -> Bool {
        while !member.isReady {
            guard members[member.child.id] != nil, !isEnding else { return false }
            do { try await Loop.sleep(milliseconds: 10) } catch { return false }
        }
        return true
    }

    private func retire(_ member: Process) {
        member.isRetiring = true
        member.child.send(Signal.terminate)
    }

    private func end() {
        guard !isEnding else { return }
        isEnding = true
        ServiceManager.notify("STOPPING=1")
        log.event("draining")
        for member in members.values { retire(member) }
        changed.open()
    }
}

extension Master.Process {
    fileprivate static func describe(_ instanceID: String) -> Member {
        Member("worker", .string(instanceID))
    }
}
