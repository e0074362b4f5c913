package import EventLoop

/// A few connections, opened on demand, shared fairly.
///
/// - Whoever comes first gets the next free connection; nobody waits longer than `waitTimeout`.
/// - While the server cannot be reached, or keeps silent, everybody is refused at once (`.unavailable`),
///   and one attempt after another, with jitter and at most 5 s apart, finds out when it is back.
/// - A cancelled task leaves its connection to settle in a task of its own.
@LoopActor package final class Pool {
    private let size: Int
    private let statementTimeout: Int
    private let waitTimeout: Int
    private var settings: Settings?
    private let settingsError: DatabaseError?

    private var idle: [Connection] = []
    private var waiters: [Waiter] = []
    /// Connections that are signed in, lent ones included.
    private var open = 0
    /// Connections on their way.
    private var attempts = 0
    private var backOff = BackOff()
    private var lastError: DatabaseError?
    /// The server kept silent on one session, and no new one has been opened since: all are suspect.
    private var isSilent = false
    private var probe: EventLoop.Timer?
    private var isClosed = false

    /// Somebody who waits for a connection.
    @LoopActor private final class Waiter {
        let gate = Gate()
        var connection: Connection?
        var error: DatabaseError?
    }

    /// - Parameters:
    ///   - conninfo: libpq's connection string; socket path or `hostaddr` (names: `init(settings:…)`).
    ///   - size: connections at most.
    ///   - statementTimeout: milliseconds, also the server's `statement_timeout`.
    ///   - waitTimeout: milliseconds in the queue for a connection.
    package convenience init(
        conninfo: String, size: Int, statementTimeout: Int, waitTimeout: Int = 2000
    ) {
        let settings = Swift.Result { () throws(DatabaseError) in
            try Settings(conninfo: conninfo, resolvesNames: false)
        }
        self.init(
            settings, size: size, statementTimeout: statementTimeout, waitTimeout: waitTimeout)
    }

    /// As above, with settings made (and names resolved) before the loop runs.
    package convenience init(
        settings: Settings, size: Int, statementTimeout: Int, waitTimeout: Int = 2000
    ) {
        self.init(
            .success(settings), size: size, statementTimeout: statementTimeout,
            waitTimeout: waitTimeout)
    }

    private init(
        _ settings: Swift.Result<Settings, DatabaseError>, size: Int, statementTimeout: Int,
        waitTimeout: Int
    ) {
        self.size = max(1, size)
        self.statementTimeout = max(1, statementTimeout)
        self.waitTimeout = max(1, waitTimeout)
        self.settings = try? settings.get()
        settingsError =
            switch settings {
            case .success: nil
            case .failure(let error): error
            }
    }

    /// There is a connection, or none was needed yet.
    package var isHealthy: Bool { (open > 0 || trouble == nil) && !isSilent && !isClosed }

    /// Why it is not healthy, for the log.
    package var trouble: DatabaseError? { settingsError ?? lastError }

    /// Callers in the queue, open connections and idle ones: for metrics.
    package var counts: (waiting: Int, open: Int, idle: Int) { (waiters.count, open, idle.count) }

    // MARK: Use

    /// Runs one statement on some connection.
    ///
    /// A session that turns out to be gone before the statement was sent is replaced once. After
    /// sending, a lost session is an error with `isOutcomeUnknown`.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> [Row]
    {
        try await withConnection { try await $0.query(statement, parameters) }
    }

    /// Lends a connection for several statements without a transaction.
    package func withConnection<T: Sendable>(
        _ body: @LoopActor (Connection) async throws -> T
    ) async throws -> T {
        for _ in 0..<2 {
            let connection = try await acquire()
            defer { release(connection) }
            do {
                return try await body(connection)
            } catch let error as DatabaseError where connection.isUnused && connection.isLost {
                _ = error  // nothing was sent on it: another one may do better
            }
        }
        throw DatabaseError.unavailable("two connections in a row were lost before their first use")
    }

    /// `BEGIN`, body, `COMMIT`; `ROLLBACK` when the body throws. Conflicts (40001, 40P01) are repeated,
    /// so the body must be free of other effects.
    package func transaction<T: Sendable>(
        _ body: @LoopActor (Connection) async throws -> T
    ) async throws -> T {
        var attempt = 1
        while true {
            do {
                return try await withConnection { connection in
                    _ = try await connection.query(.begin)
                    let value = try await body(connection)
                    _ = try await connection.query(.commit)
                    return value
                }
            } catch let error as DatabaseError where error.kind == .conflict && attempt < 4 {
                try await Loop.sleep(milliseconds: Int.random(in: 1...(10 << attempt)))
                attempt += 1
            }
        }
    }

    /// Refuses whoever waits, closes what is idle; what is lent is closed on its return.
    package func close() async {
        isClosed = true
        probe?.cancel()
        refuseAll(.unavailable("the pool is closed"))
        for connection in idle { drop(connection) }
        idle = []
    }

    // MARK: Lending

    private func acquire() async throws -> Connection {
        if let settingsError { throw settingsError }
        guard !isClosed else { throw DatabaseError.unavailable("the pool is closed") }
        if waiters.isEmpty {
            while let connection = idle.popLast() {
                if !connection.isLost { return lend(connection) }
                drop(connection)
            }
        }
        // Down: an attempt is under way or soon will be; waiting for it helps nobody.
        if open == 0 || isSilent, let lastError { throw lastError }
        let waiter = Waiter()
        waiters.append(waiter)
        if probe == nil, attempts < waiters.count { connect() }
        return lend(try await connection(for: waiter))
    }

    private func lend(_ connection: Connection) -> Connection {
        connection.isUnused = true
        return connection
    }

    private func connection(for waiter: Waiter) async throws -> Connection {
        let timer = Loop.after(milliseconds: waitTimeout) {
            waiter.error = .unavailable("no free connection in time")
            waiter.gate.open()
        }
        defer {
            timer.cancel()
            // Whoever was served has left the queue already.
            if waiter.connection == nil { waiters.removeAll { $0 === waiter } }
        }
        while true {
            if let connection = waiter.connection { return connection }
            if let error = waiter.error { throw error }
            do {
                try await waiter.gate.pass()
            } catch {
                if let connection = waiter.connection { release(connection) }
                throw error
            }
        }
    }

    private func release(_ connection: Connection) {
        if connection.isSettled {
            offer(connection)
        } else if connection.isLost {
            lose(connection)
        } else {
            spawn { [self] in
                await connection.settle() ? offer(connection) : lose(connection)
            }
        }
    }

    private func offer(_ connection: Connection) {
        guard !isClosed else { return drop(connection) }
        guard !connection.isBloated else { return lose(connection) }
        if let waiter = waiters.first {
            waiters.removeFirst()
            waiter.connection = connection
            waiter.gate.open()
        } else {
            idle.append(connection)
        }
    }

    private func drop(_ connection: Connection) {
        connection.close()
        open -= 1
    }

    /// A session ended. Whoever waits gets a new one; and without any, find out how the server is.
    private func lose(_ connection: Connection) {
        drop(connection)
        if connection.isSilent { suspectAll() }
        if probe == nil, open == 0 || !waiters.isEmpty { connect() }
    }

    /// What one session shows, the others need not find out one after the other, each in its own time.
    private func suspectAll() {
        isSilent = true
        let error = DatabaseError.unavailable("the server does not answer")
        lastError = error
        refuseAll(error)
        for connection in idle { drop(connection) }
        idle = []
    }

    /// Lent connections are missed on their return.
    private func loseIdle(_ connection: Connection) {
        guard let index = idle.firstIndex(where: { $0 === connection }) else { return }
        idle.remove(at: index)
        lose(connection)
    }

    // MARK: Connecting

    private func connect() {
        guard let settings, !isClosed, open + attempts < size else { return }
        attempts += 1
        spawn { [self] in
            do {
                let connection = try await Connection(
                    settings, statementTimeout: statementTimeout)
                attempts -= 1
                open += 1
                connection.onIdleLoss = { [weak self] in self?.loseIdle($0) }
                backOff.reset()
                lastError = nil
                isSilent = false
                offer(connection)
            } catch {
                attempts -= 1
                failed(error as? DatabaseError ?? .unavailable("connecting was cancelled"))
            }
        }
    }

    private func failed(_ error: DatabaseError) {
        lastError = error
        settings?.rotate()
        // While others are lent or on their way, one of them may still serve who waits.
        if open + attempts == 0 { refuseAll(error) }
        guard probe == nil, !isClosed else { return }
        probe = Loop.after(milliseconds: backOff.next()) { [weak self] in
            guard let self else { return }
            probe = nil
            connect()
        }
    }

    private func refuseAll(_ error: DatabaseError) {
        for waiter in waiters {
            waiter.error = error
            waiter.gate.open()
        }
        waiters = []
    }
}

/// Pauses between attempts to connect: 50 ms, doubled up to 4 s, each with up to a quarter of jitter,
/// so that a hundred workers do not fall upon a server that has just come back.
struct BackOff {
    private var pause = 50

    /// Milliseconds until the next attempt; less than 5,000.
    mutating func next() -> Int {
        defer { pause = min(4000, pause * 2) }
        return pause + Int.random(in: 0...(pause / 4))
    }

    mutating func reset() { pause = 50 }
}

extension Statement {
    static let begin = Statement("begin", "BEGIN")
    static let commit = Statement("commit", "COMMIT")
    static let rollback = Statement("rollback", "ROLLBACK")
}
