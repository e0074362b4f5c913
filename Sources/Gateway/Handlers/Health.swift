internal import EventLoop
internal import HTTP
internal import JSON

/// `/health`
@LoopActor
enum Health {
    /// `GET /health/live`: the process is up. Depends on nothing.
    static func live(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        .response(.json(["status": "ok"]))
    }

    /// `GET /health/ready`: the truth about what it needs, 503 with the reasons when something is missing.
    static func ready(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        let faults = await worker.faults()
        let body: Value = [
            "status": .string(faults.isEmpty ? "ok" : "unavailable"),
            "reasons": .array(faults.map { .string($0) }),
        ]
        return .response(.json(body, status: faults.isEmpty ? .ok : .serviceUnavailable))
    }
}
