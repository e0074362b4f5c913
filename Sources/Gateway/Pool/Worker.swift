internal import EventLoop
internal import FastCGI
internal import HTTPClient
internal import JSON
internal import PostgreSQL
internal import System

/// One process of the pool: one thread, one loop, thousands of requests. It keeps no state that another worker needs.
@LoopActor
final class Worker {
    /// Milliseconds that cancelled requests get to record how they ended, and to tell it.
    private static let unwinding = 5000
    /// Descriptors for everything but streams: the database, files, requests that are refused.
    private static let spareDescriptors = 64
    /// Of a stream: from the web server, and to the provider.
    private static let descriptorsPerStream = 2

    let configuration: Configuration
    /// Names this process in logs and in the rows of answers that it is writing.
    let instanceID: String
    let log: Log
    let pool: PostgreSQL.Pool
    let client = Client()
    /// Stores what must be stored, also while the database is away.
    let spool: Spool
    let deadWorkers: DeadWorkers
    private(set) lazy var ledger = UsageLedger(spool) { [unowned self] in
        listener?.active ?? 1
    }
    let idempotency: Idempotency
    let identification: Identification
    let models: ModelTable
    let sideRequest: SideRequest
    var notedRefusals = NotedRefusals()
    /// Tells the other workers.
    var onUserChange: ((String) -> Void)?
    /// True from the moment at which no new request is taken.
    private(set) var isDraining = false
    /// Requests of models that run.
    var running = 0
    /// So many of them this process shall carry.
    private var capacity: Int
    private var listener: Listener?
    private var socket: Int32?
    private let idleMemory = IdleMemory()
    private let tokenFeed: TokenFeed
    private let schema: Schema

    /// Begins to connect to everything; `database` was resolved before the loop ran. Without a seat there are
    /// neither circuit breakers nor limits of providers.
    init(
        _ configuration: Configuration, instanceID: String, database: Settings,
        seat: WorkerSeat? = nil
    ) {
        self.configuration = configuration
        self.instanceID = instanceID
        capacity = configuration.streamsPerWorker
        let log = Log(process: instanceID)
        let pool = PostgreSQL.Pool(
            settings: database, size: configuration.databasePool,
            statementTimeout: Int(configuration.statementTimeout * 1000))
        let feed = TokenFeed(database, pool, log)
        let cache = TokenCache(pool, grace: configuration.tokenGrace) { feed.isFed }
        feed.cache = cache
        let served = ServedModel.all(of: configuration, seat, log)
        self.log = log
        self.pool = pool
        spool = Spool(configuration, instanceID: instanceID, pool: pool, log: log)
        deadWorkers = DeadWorkers(configuration, instanceID: instanceID, pool: pool, log: log)
        tokenFeed = feed
        schema = Schema(pool)
        idempotency = Idempotency(
            pool, log, instanceID: instanceID, lifetime: configuration.idempotencyLifetime)
        identification = Identification(
            pepper: configuration.pepperKey, cache: cache,
            roles: configuration.roles, defaultRole: configuration.defaultRole,
            permitsAnonymous: configuration.isAnonymousAllowed)
        models = ModelTable(
            served.models, discovering: served.discovering, client: client, log: log)
        sideRequest = SideRequest(
            headers: configuration.taskHeaders, prefixes: configuration.sideRequestPrefixes)
    }

    /// Takes only as many streams as there are descriptors for, of so many in all.
    func limitStreams(byDescriptors descriptors: Int) {
        let carried = max(1, (descriptors - Self.spareDescriptors) / Self.descriptorsPerStream)
        guard carried < capacity else { return }
        capacity = carried
        log.event(
            "streams_limited",
            [
                Member("streams", .integer(carried)),
                Member("descriptors", .integer(descriptors)),
            ])
    }

    /// Accepts requests on the shared socket, and keeps account of them in `register`.
    func listen(on socket: Int32, register: (any RequestRegister)? = nil) throws(SystemError) {
        self.socket = socket
        let door = FrontDoor(worker: self)
        let listener = try Listener(socket, bodyLimit: configuration.bodyLimit) { connection in
            await door.serve(connection)
        }
        listener.register = register
        listener.becameIdle = { [unowned self, idleMemory] in
            idleMemory.rested { [unowned self] in self.listener?.active == 0 }
        }
        listener.isExhausted = { [log] in log.event("descriptors_exhausted") }
        self.listener = listener
        idempotency.begin()
    }

    /// Takes no more requests and returns when those that run have ended. After the drain timeout they are cancelled:
    /// what was said is recorded as incomplete, and the callers are told so.
    func drain() async {
        isDraining = true
        listener?.stop()
        // While the master holds it, it stays open. If the master is dead, the next one can open it now and need not
        // wait for the last stream.
        if let socket { Descriptor.replaceByNothing(socket) }
        await drained(within: Int(configuration.drainTimeout * 1000))
        listener?.cancelAll()
        await drained(within: Self.unwinding)
    }

    private func drained(within milliseconds: Int) async {
        let waiting = spawn { [listener] in await listener?.drained() }
        let limit = Loop.after(milliseconds: milliseconds) { waiting.cancel() }
        await waiting.value
        limit.cancel()
    }

    /// What is remembered of a user holds no longer, here and in the other workers of this host. PostgreSQL tells them
    /// too; but it may be gone before they have heard it, and then they would believe what they remember for a while.
    func forget(user id: String) {
        identification.cache.forget(user: id)
        onUserChange?(id)
    }

    /// Takes what the master says.
    func received(_ message: ControlChannel.Message) {
        if case .userChanged(let id) = message { identification.cache.forget(user: id) }
    }

    /// As many requests of models run as this process shall carry.
    var isFull: Bool { running >= capacity }

    /// What readiness depends on: the faults, in words for an operator, or none.
    func faults() async -> [String] {
        var faults: [String] = []
        if isDraining { faults.append("draining") }
        switch await schema.state() {
        case .ready: break
        case .fault(let fault): faults.append(fault)
        }
        return faults
    }
}

extension Log {
    /// The member that tells why.
    static func detail(_ error: any Error) -> Member {
        Member("detail", .string(fullFace(of: error)))
    }
}
