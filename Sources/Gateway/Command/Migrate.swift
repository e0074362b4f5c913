internal import PostgreSQL
internal import Store

/// `archway migrate`
enum Migrate {
    static func run(_ arguments: Arguments) throws -> Int32 {
        let configuration = try Setup.configuration(arguments)
        let count = try Setup.withDatabase(configuration, statementTimeout: 600_000) { pool in
            let count = try await Migrations.apply(at: .now, in: pool)
            guard try await Migrations.check(pool) == .current else {
                throw CommandFailure(
                    description: "the database was migrated by a newer archway; install that one")
            }
            try await Store.Usage.prepareMonths(at: .now, in: pool)
            return count
        }
        CommandLineReport.say(
            count == 0 ? "The schema is up to date." : "Applied \(count) migrations.")
        return 0
    }
}
