import EventLoop

/// What the system knows of the gateway's processes.
extension Deployment {
    /// The worker that is writing an answer into a chat, by its process id.
    package func worker(writing chat: String) async throws -> Int32 {
        let name = try await sql(
            """
            SELECT t.worker FROM turns t JOIN conversations c ON c.id = t.conversation_id
            WHERE c.external_id = '\(chat)' AND t.status = 'in_progress'
            """)
        let line = log.lines("worker_started").last { $0["worker"].string == name }
        guard let process = line?["pid"].integer else {
            throw Failure(description: "nobody is writing into \(chat)")
        }
        return Int32(process)
    }

    /// How many descriptors each worker has open.
    package func descriptors() -> [Int] {
        workers.map { ProcessFigures.descriptors(of: $0).count }
    }

    /// Bytes of all workers.
    package func memory(_ kind: ProcessFigures.Memory = .resident) -> Int {
        workers.reduce(0) { $0 + ProcessFigures.memory(kind, of: $1) }
    }

    /// Milliseconds for which the workers have used a processor.
    package func processorTime() -> Int {
        workers.reduce(0) { $0 + ProcessFigures.processorTime(of: $1) }
    }
}
