import EventLoop
import HTTP
import OpenAI
import PostgreSQL
import Store
import TestSupport

@testable import Gateway

extension HTTP.Request {
    /// A request with this body.
    static func json(_ body: String, _ fields: Fields = [:]) -> HTTP.Request {
        HTTP.Request(method: .post, path: "/", fields: fields, body: Array(body.utf8))
    }
}

extension ChatCompletionRequest {
    /// A request with these messages, as JSON, and more members.
    static func make(_ messages: String, _ more: String = "") throws -> ChatCompletionRequest {
        try ChatCompletionRequest(Array(#"{"model":"m","messages":[\#(messages)]\#(more)}"#.utf8))
    }
}

/// A database of its own with the schema, and a pool on it.
@LoopActor func makeStore() async throws -> PostgreSQL.Pool {
    let conninfo = try await TemporaryPostgreSQL.shared().makeDatabase()
    let pool = PostgreSQL.Pool(
        conninfo: conninfo, size: 4, statementTimeout: 30_000, waitTimeout: 30_000)
    try await Migrations.apply(at: .now, in: pool)
    return pool
}

/// A pool that reaches nothing.
@LoopActor func makeDeadPool() -> PostgreSQL.Pool {
    PostgreSQL.Pool(conninfo: "host=/nonexistent dbname=none", size: 1, statementTimeout: 1000)
}

/// A spool in a folder that cannot be made, unless another one is given, for what that pool's database cannot take.
@LoopActor func makeSpool(
    _ pool: PostgreSQL.Pool, in folder: String = "/nonexistent/spool",
    as instanceID: String = "worker-test",
    limit: Int = 1 << 20
) -> Spool {
    var configuration = Configuration()
    configuration.spool = folder
    configuration.spoolLimit = limit
    return Spool(
        configuration, instanceID: instanceID, pool: pool, log: Log(process: "test"),
        program: Deployment.program)
}
