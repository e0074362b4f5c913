internal import EventLoop
internal import PostgreSQL
internal import System

/// What most commands begin with: the configuration, and a connection to the database.
enum Setup {
    static let defaultPath = "/etc/archway/archway.yaml"
    static let options: Set<String> = ["config", "state"]

    /// The configuration file that the command line names, in one way or the other.
    static func path(_ arguments: Arguments) throws(Arguments.Mistake) -> String {
        guard let state = arguments["state"] else { return arguments["config"] ?? defaultPath }
        guard arguments["config"] == nil else {
            throw Arguments.Mistake(
                description: "--state and --config name a configuration each; give one of them")
        }
        return state + "/archway.yaml"
    }

    /// The configuration. Its errors name line and column.
    static func configuration(_ arguments: Arguments) throws -> Configuration {
        try Configuration(path: path(arguments))
    }

    /// Runs `body` on the loop with a pool, which is closed afterwards. Throws what `body` throws.
    static func withDatabase<Result: Sendable>(
        _ configuration: Configuration, statementTimeout: Int = 60_000,
        _ body: @escaping @LoopActor @Sendable (PostgreSQL.Pool) async throws -> Result
    ) throws -> Result {
        let settings = try Settings(
            conninfo: configuration.database.exposed, resolvesNames: true)
        let outcome: Swift.Result<Result, any Error>? = Loop.run {
            // A person waits longer than a request may.
            let pool = PostgreSQL.Pool(
                settings: settings, size: 1, statementTimeout: statementTimeout,
                waitTimeout: 10_000)
            do {
                let result = try await body(pool)
                await pool.close()
                return .success(result)
            } catch {
                await pool.close()
                return .failure(error)
            }
        }
        guard let outcome else { throw Arguments.Mistake(description: "the loop runs already") }
        return try outcome.get()
    }
}
