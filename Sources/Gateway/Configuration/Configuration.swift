import YAML

/// Everything that an operator decides: one YAML file, read strictly. The table in
/// `ConfigurationKeys.swift` says what each key means.
package struct Configuration: Sendable {
    /// The web server's way to us: a UNIX socket's path.
    package var socket = "/run/archway/archway.sock"
    /// Worker processes; nil is one for each processor.
    package var workers: Int?
    /// Requests that a worker serves at the same time.
    package var streamsPerWorker = 4000
    /// Seconds that requests may go on while a worker drains.
    package var drainTimeout = 600.0
    /// libpq's connection string; secret, since it may hold a password.
    package var database = Secret("host=/var/run/postgresql dbname=archway")
    /// Connections to PostgreSQL for each worker.
    package var databasePool = 4
    /// Seconds for one statement.
    package var statementTimeout = 5.0
    /// The folder for what must be stored while the database cannot take it.
    package var spool = "/var/lib/archway/spool"
    /// Bytes that a worker puts there at most.
    package var spoolLimit = 256 << 20

    /// The key of token digests, at least 32 characters.
    package var pepper = Secret("")
    /// The pepper's number, stored with each token.
    package var pepperVersion = 1
    /// Days that a new API token is good for.
    package var tokenLifetime = 90
    /// Seconds that a token which was valid is believed while the database cannot be asked.
    package var tokenGrace = 300.0
    /// Whether requests without identity are served.
    package var isAnonymousAllowed = false
    /// The role of those who were given none; always one of `roles`.
    package var defaultRole = "user"
    /// By name; always with `admin`, `user` and `pending`.
    package var roles = Role.builtIn

    /// Bytes of a request body that are read.
    package var bodyLimit = 64 << 20
    /// Seconds of silence in a stream before a comment is sent.
    package var keepAlive = 15.0
    /// Seconds that a stream's status waits for the first event.
    package var firstEventHold = 10.0
    /// Seconds that the reply to a request with an idempotency key is kept.
    package var idempotencyLifetime = 86_400.0
    /// Header names of a conversation's id.
    package var conversationHeaders = ["X-OpenWebUI-Chat-Id"]
    /// Header names of a side request's task.
    package var taskHeaders = ["X-OpenWebUI-Task", "X-Archway-Task"]
    /// Beginnings of a side request's message.
    package var sideRequestPrefixes = [
        "### Task:", "Available Tools:", "Your task is to reflect",
        "You have been provided with a set of responses",
    ]

    /// By name; always with `extractive`.
    package var providers: [String: Provider] = ["extractive": Provider.extractive]
    /// In the order of the file; ids differ.
    package var models: [Model] = []

    /// Every value that holds, given or by default, one a line as `path: value`; secrets are `***`.
    package private(set) var masked = ""
    /// The same by keys of the table.
    package private(set) var effective: [(key: String, path: String, text: String)] = []

    /// All defaults; the pepper is missing.
    package init() {}

    /// Reads a file's text.
    ///
    /// - Parameters:
    ///   - file: The file's name for messages.
    ///   - base: What holds where the text says nothing. Its providers and models are kept beside the
    ///     text's own, which win by name.
    package init(
        _ text: String, file: String, references: References, base: Configuration = Configuration()
    ) throws(ConfigurationError) {
        self = base
        let root: Node
        do throws(YAMLError) { root = try parse(text) } catch {
            let problem = ConfigurationError.Problem(
                line: error.line, column: error.column, message: error.reason)
            throw ConfigurationError(file: file, problems: [problem])
        }
        let source = ConfigurationSource(references)
        Shape(Self.keys).check(root, at: "", source.fail)
        read(Section(source, root))
        guard source.problems.isEmpty else {
            let problems = source.problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            throw ConfigurationError(file: file, problems: problems)
        }
        effective = source.effective
        masked = effective.map { "\($0.path): \($0.text)\n" }.joined()
    }
}

extension Configuration {
    private mutating func read(_ root: Section) {
        readService(root)
        readAccess(root)
        readRequests(root)
        readProviders(root)
        readModels(root)
    }

    private mutating func readService(_ root: Section) {
        root.read("socket", into: &socket, as: .path)
        root.read("workers", into: &workers, as: Reading<Int>.integer(1...1024).or("auto"))
        root.read("streams_per_worker", into: &streamsPerWorker, as: .integer(1...100_000))
        root.read("drain_timeout", into: &drainTimeout, as: .seconds(0...86400))
        root.read("database", into: &database, as: .connectionString)
        root.read("database_pool", into: &databasePool, as: .integer(1...100))
        root.read("statement_timeout", into: &statementTimeout, as: .seconds(0.1...600))
        root.read("spool", into: &spool, as: .folder)
        root.read("spool_limit", into: &spoolLimit, as: .byteCount)
    }

    private mutating func readAccess(_ root: Section) {
        if pepper.exposed.isEmpty { root.require("pepper") }
        root.read("pepper", into: &pepper, as: .secret(atLeast: 32))
        root.read("pepper_version", into: &pepperVersion, as: .integer(1...32767))
        root.read("token_lifetime", into: &tokenLifetime, as: .integer(1...36500))
        root.read("auth_cache_grace", into: &tokenGrace, as: .seconds(0...86400))
        root.read("anonymous", into: &isAnonymousAllowed, as: .boolean)
        root.read("default_role", into: &defaultRole, as: .text)
        for (name, section) in root.named("roles") {
            if ["admin", "pending"].contains(name) {
                section.source.fail(section.node, "the role \(name) is built in and stays as it is")
            }
            roles[name] = Role(section)
        }
        if roles[defaultRole] == nil {
            let suggestion = Suggestion.text(for: defaultRole, among: roles.keys.sorted())
            root.fail("default_role", "names a role that does not exist\(suggestion)")
        }
    }

    private mutating func readRequests(_ root: Section) {
        root.read("body_limit", into: &bodyLimit, as: .byteCount)
        root.read("keep_alive", into: &keepAlive, as: .seconds(1...300))
        root.read("first_event_hold", into: &firstEventHold, as: .seconds(0...60))
        root.read("idempotency_lifetime", into: &idempotencyLifetime, as: .seconds(60...604_800))
        root.read("conversation_headers", into: &conversationHeaders, as: .headerNames)
        root.read("task_headers", into: &taskHeaders, as: .headerNames)
        root.read("side_request_prefixes", into: &sideRequestPrefixes, as: .list(of: "texts"))
    }

    private mutating func readProviders(_ root: Section) {
        for (name, section) in root.named("providers") { providers[name] = Provider(section) }
    }

    private mutating func readModels(_ root: Section) {
        let sections = root.sections("models")
        let given = sections.map { Model($0, providers: providers, roles: roles) }
        let ids = given.map(\.id)
        models = models.filter { !ids.contains($0.id) } + given
        for (index, section) in sections.enumerated() {
            if ids[..<index].contains(ids[index]), !ids[index].isEmpty {
                section.fail("id", "is the id of another model too")
            }
            guard let task = given[index].taskModel, !models.contains(where: { $0.id == task })
            else {
                continue
            }
            let suggestion = Suggestion.text(for: task, among: models.map(\.id))
            section.fail("task_model", "names a model that does not exist\(suggestion)")
        }
    }
}

extension Reading<Secret> {
    /// Shown unless there may be a password in it.
    fileprivate static let connectionString = Reading(
        expected: "a connection string of libpq",
        show: { secret in
            let text = secret.exposed
            return text.contains("password") || text.contains("@") ? "***" : text
        }, read: { node in node.text.flatMap { $0.isEmpty ? nil : Secret($0) } })
}
