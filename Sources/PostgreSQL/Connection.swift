internal import CPostgreSQL
package import EventLoop

/// One session with the server. It has one user at a time; the pool sees to that.
///
/// A statement whose task was cancelled leaves the connection *busy*: the server still works on it.
/// `settle()` waits for that, in a task of its own.
@LoopActor package final class Connection: Watcher {
    /// Bytes of parameters after which a connection is replaced.
    private static let largestKept = 4 << 20

    private let handle: Handle
    private let gate = Gate()
    private let statementTimeout: Int
    private var descriptor: Int32 = -1
    private var arrived: Readiness = []
    private var watchesWrites = false
    private var prepared: Set<String> = []
    /// False once a pooler between us showed that it does not keep prepared statements.
    private var namesStatements = true

    /// A command was sent whose last result has not come.
    private(set) var isBusy = false
    /// The session is gone; close it.
    private(set) var isLost = false
    /// It is gone because the server kept silent for longer than any statement may take.
    private(set) var isSilent = false
    /// A statement was so large that libpq's buffer, which it never gives back, is not worth keeping.
    private(set) var isBloated = false
    /// Nothing was sent for its present user yet, so that another connection may take its place.
    var isUnused = true
    private var deadline: Int64 = 0
    private var timer: EventLoop.Timer?

    /// The server closed an idle session.
    var onIdleLoss: @LoopActor (Connection) -> Void = { _ in }
    /// LISTEN: a notification arrived while no statement ran, or behind one.
    var onNotification: @LoopActor (_ channel: String, _ payload: String) -> Void = { _, _ in }

    /// Signs in, within `settings.connectTimeout` seconds. The loop goes on meanwhile.
    init(_ settings: Settings, statementTimeout: Int) async throws {
        if let name = settings.unresolvedName {
            throw DatabaseError.unavailable(
                "host name \(name) was not resolved before the loop started; "
                    + "use a socket path or hostaddr")
        }
        self.statementTimeout = statementTimeout
        handle = try Handle(words: settings.words(statementTimeout: statementTimeout))
        do {
            try await establish(seconds: settings.connectTimeout)
        } catch {
            close()
            throw error
        }
    }

    private func establish(seconds: Int) async throws {
        arm(milliseconds: seconds * 1000)
        isBusy = true
        // libpq may close its socket and open another one in every step (next address, TLS refused).
        var step = handle.isBad ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard step != PGRES_POLLING_FAILED else {
                throw DatabaseError.connecting(handle.message)
            }
            try await wait(forStep: step == PGRES_POLLING_READING ? .readable : .writable)
            step = handle.poll()
        }
        guard handle.setNonBlocking() else {
            throw DatabaseError.unavailable("connecting: \(handle.message)")
        }
        try watch(for: .readable)
        isBusy = false
    }

    private func wait(forStep readiness: Readiness) async throws {
        try watch(for: readiness)
        defer { forget() }
        arrived = []
        while arrived.isEmpty {
            try await gate.pass()
            if isLost { throw DatabaseError.unavailable("connecting took too long") }
        }
    }

    /// Ends the session and frees its memory on the last release. Idempotent.
    func close() {
        isLost = true
        forget()
        timer?.cancel()
        timer = nil
        gate.open()
    }

    // MARK: Statements

    /// Runs one statement and returns its rows, all of them.
    ///
    /// - Throws: `DatabaseError`; `CancellationError` when the task is cancelled, and then the server
    ///   may still execute the statement.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> [Row]
    {
        let buffer = try ParameterBuffer(parameters)
        try checkUsable()
        if buffer.bytes.count > Self.largestKept { isBloated = true }
        do {
            return try await execute(statement, buffer)
        } catch let error as DatabaseError where error.isStaleStatement && namesStatements {
            namesStatements = false
            guard handle.isOutsideTransaction else {
                // The transaction is void; its repetition uses no names.
                throw error.asConflict
            }
            return try await execute(statement, buffer)
        }
    }

    /// Runs several statements at once by the simple protocol. Only for migrations: no parameters.
    package func runScript(_ sql: String) async throws {
        try checkUsable()
        start()
        guard handle.sendScript(sql) else { throw lost("sending a script", wasSent: false) }
        isUnused = false
        _ = try await results("script")
    }

    private func execute(_ statement: Statement, _ buffer: ParameterBuffer) async throws -> [Row] {
        if namesStatements, !prepared.contains(statement.name) {
            start()
            guard handle.sendPrepare(statement) else {
                throw lost("preparing \(statement.name)", wasSent: false)
            }
            do {
                _ = try await results(statement.name)
            } catch let error as DatabaseError {
                throw error.withKnownOutcome  // only the preparation was sent
            }
            prepared.insert(statement.name)
        }
        start()
        guard handle.send(statement, buffer, named: namesStatements) else {
            throw lost("sending \(statement.name)", wasSent: false)
        }
        isUnused = false
        return try await results(statement.name)
    }

    private func checkUsable() throws(DatabaseError) {
        guard !isBusy else { throw .unavailable("the connection still runs a cancelled statement") }
        // An end that the loop has not told us yet: better found before the statement is sent. The first reading may
        // get no further than the server's goodbye, the second meets the end.
        guard !isLost, handle.consumeInput(), handle.consumeInput(), !handle.isBad else {
            throw lost("waiting for a statement", wasSent: false)
        }
    }

    private func start() {
        isBusy = true
        // The server's own limit comes first; ours is for a server that hangs.
        arm(milliseconds: statementTimeout + 500)
    }

    private func lost(_ where: String, wasSent: Bool) -> DatabaseError {
        let detail = "\(`where`): \(handle.message)"
        close()
        return .unavailable(detail, isOutcomeUnknown: wasSent)
    }

    // MARK: Results

    private func results(_ name: String) async throws -> [Row] {
        try await flush(name)
        var rows: [Row] = []
        var failure: DatabaseError?
        while let result = try await nextResult(name) {
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
                rows += result.rows()
            case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE:
                failure = failure ?? result.error(name)
            default:  // COPY: no statement of ours starts one
                throw lost("\(name) started a COPY", wasSent: true)
            }
        }
        isBusy = false
        drainNotifications()
        if let failure {
            if failure.endsConnection || handle.isBad { close() }
            throw failure
        }
        return rows
    }

    private func flush(_ name: String) async throws {
        while true {
            switch handle.flush() {
            case 0:
                if watchesWrites { try watch(for: .readable) }
                return
            case 1:
                if !watchesWrites { try watch(for: [.readable, .writable]) }
                // The server may have to be read before it reads on.
                try await input(name)
            default:
                throw lost("sending \(name)", wasSent: true)
            }
        }
    }

    private func nextResult(_ name: String) async throws -> QueryResult? {
        while handle.isBusy { try await input(name) }
        return handle.nextResult()
    }

    /// Suspends until the socket has something, and takes it in.
    private func input(_ name: String) async throws {
        arrived = []
        while arrived.isEmpty {
            try await gate.pass()
            if isLost {
                throw DatabaseError.unavailable("no answer to \(name)", isOutcomeUnknown: true)
            }
        }
        if arrived != .writable, !handle.consumeInput() {
            // What the server said before it went away is still in the buffer.
            guard !handle.isBusy else { throw lost("waiting for \(name)", wasSent: true) }
        }
    }

    /// Waits for the end of a statement whose task was cancelled and leaves any transaction.
    /// False: the session is of no use any more.
    func settle() async -> Bool {
        do {
            if isBusy {
                do { _ = try await results("cancelled statement") } catch is DatabaseError {}
            }
            if !isLost, !handle.isOutsideTransaction { _ = try await query(.rollback) }
        } catch {
            close()
        }
        return !isLost
    }

    /// May it go back to the pool as it is?
    var isSettled: Bool { !isBusy && !isLost && handle.isOutsideTransaction }

    // MARK: The loop

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        arrived.formUnion(readiness)
        if isBusy {
            gate.open()
        } else if !handle.consumeInput() || handle.isBad {
            close()
            onIdleLoss(self)
        } else {
            drainNotifications()
        }
    }

    private func drainNotifications() {
        while let notification = handle.nextNotification() {
            onNotification(notification.channel, notification.payload)
        }
    }

    private func watch(for readiness: Readiness) throws {
        watchesWrites = readiness.contains(.writable)
        do {
            if descriptor >= 0 {
                try Loop.rewatch(descriptor, for: readiness)
            } else {
                guard handle.socket >= 0 else {
                    throw DatabaseError.unavailable("connecting: \(handle.message)")
                }
                try Loop.watch(handle.socket, for: readiness, by: self)
                descriptor = handle.socket
            }
        } catch let error as SystemError {
            throw DatabaseError.unavailable("watching the connection: \(error)")
        }
    }

    private func forget() {
        if descriptor >= 0 { Loop.forget(descriptor) }
        descriptor = -1
    }

    /// One timer serves many statements: it looks at the deadline when it fires.
    private func arm(milliseconds: Int) {
        deadline = Loop.now + Int64(milliseconds)
        if timer == nil { schedule(milliseconds) }
    }

    private func schedule(_ milliseconds: Int) {
        timer = Loop.after(milliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            timer = nil
            guard isBusy, !isLost else { return }
            let left = Int(deadline - Loop.now)
            guard left <= 0 else { return schedule(left) }
            isSilent = true
            close()
        }
    }
}

extension DatabaseError {
    fileprivate var asConflict: DatabaseError {
        DatabaseError(
            kind: .conflict, sqlstate: sqlstate, constraint: constraint, isOutcomeUnknown: false,
            detail: detail)
    }

    fileprivate var withKnownOutcome: DatabaseError {
        DatabaseError(
            kind: kind, sqlstate: sqlstate, constraint: constraint, isOutcomeUnknown: false,
            detail: detail)
    }
}
