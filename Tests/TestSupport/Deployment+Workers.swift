import EventLoop
import Foundation

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

    /// The open descriptors of each worker.
    package func descriptors() throws -> [Int] {
        try workers.map {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\($0)/fd").count
        }
    }

    /// Resident bytes of all workers.
    package func residentMemory() -> Int {
        workers.reduce(0) { sum, worker in
            let text = try? String(contentsOfFile: "/proc/\(worker)/statm", encoding: .utf8)
            let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return sum + pages * 4096
        }
    }

    /// Milliseconds for which the workers have used a processor.
    package func processorTime() -> Int {
        workers.reduce(0) { sum, worker in
            let text = try? String(contentsOfFile: "/proc/\(worker)/stat", encoding: .utf8)
            let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 13, let user = Int(fields[11]), let system = Int(fields[12]) else {
                return sum
            }
            return sum + (user + system) * 1000 / sysconf(Int32(_SC_CLK_TCK))
        }
    }
}
