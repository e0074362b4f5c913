import Foundation

/// A second server that follows a first one, and can take its place.
extension TemporaryPostgreSQL {
    /// Copies this server (`pg_basebackup`) and starts the copy as its standby, in a folder of its own.
    package func makeStandby() async throws -> TemporaryPostgreSQL {
        let standby = try await TemporaryPostgreSQL.make()
        try await standby.stop()
        try await standby.replaceData(byCopyOf: self)
        try await standby.start()
        return standby
    }

    /// Makes a standby the server that takes writes (`pg_promote`).
    package func promote() async throws {
        try await sql("SELECT pg_promote()", database: "postgres")
    }
}
