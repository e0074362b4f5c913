import EventLoop
import Foundation

/// What the gateway's processes have written to standard error: a JSON object a line.
@LoopActor package final class GatewayLog {
    package let path: String
    private let tail: LogTail
    private var entries: [Tree] = []

    init(_ path: String) {
        self.path = path
        tail = LogTail(path)
    }

    /// All lines so far.
    package var lines: [Tree] {
        entries += tail.take().map { Tree($0) }
        return entries
    }

    /// The lines of an event.
    package func lines(_ event: String) -> [Tree] { lines.filter { $0["event"].string == event } }

    /// The line of a request, once there is one.
    package func request(_ id: String) async -> Tree? {
        var found: Tree?
        _ = await waitUntil {
            // From the end: it is asked for when it is new.
            found = self.lines.last {
                $0["request_id"].string == id && $0["event"].string == "request"
            }
            return found != nil
        }
        return found
    }

    /// The workers that served these requests, by the requests' ids.
    package func processes(of requests: [String]) async -> [String: String] {
        let wanted = Set(requests)
        var found: [String: String] = [:]
        _ = await waitUntil {
            found = [:]
            for line in self.lines("request") {
                guard let id = line["request_id"].string, wanted.contains(id) else { continue }
                found[id] = line["process"].string
            }
            return found.count == wanted.count
        }
        return found
    }
}

/// What must stand in no log, and the logs.
@LoopActor package enum Secrets {
    private static var tokens: Set<String> = []
    private static var files: Set<String> = []
    private static var folders: Set<String> = []

    /// A token that was minted.
    package static func note(token: String) { tokens.insert(token) }

    static func note(file: String) { files.insert(file) }

    static func note(folder: String) { folders.insert(folder) }

    /// Every log so far.
    package static var logs: [String] {
        let names = ["gateway.log", "nginx-error.log", "nginx-access.log", "nginx-output.log"]
        return files.sorted()
            + folders.sorted().flatMap { folder in names.map { folder + "/" + $0 } }
    }

    /// The lines that tell a secret, or something that a test has planted, with their logs; and how many lines were
    /// searched.
    package static func leaks() -> (lines: [String], searched: Int) {
        var (leaks, searched) = ([String](), 0)
        for path in logs {
            let data = (try? Data(contentsOf: URL(filePath: path))) ?? Data()
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
            searched += lines.count
            for line in lines where isLeak(line) { leaks.append("\(path): \(line.prefix(500))") }
        }
        return (leaks, searched)
    }

    private static func isLeak(_ line: Substring) -> Bool {
        line.contains(DeploymentPlan.canary) || tokens.contains { line.contains($0) }
    }
}
