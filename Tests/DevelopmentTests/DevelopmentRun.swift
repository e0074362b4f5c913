import EventLoop
import Foundation
import System
import TestSupport

/// One run of `archway dev`, as a person would start it in a clone of the project.
@LoopActor
final class DevelopmentRun {
    struct Failure: Error { let output: String }

    private let process: Subprocess
    private let log: String
    /// Everything that it has started when it was ready.
    private(set) var started: [Int32] = []

    /// Starts it. `folder` is for what it says; `state` is its state folder; `place` is where the person is.
    init(
        _ options: [String], state: String, folder: String, in place: String = Deployment.root
    ) throws {
        log = "\(folder)/said-\(UUID().uuidString.prefix(8))"
        let output = try SystemFile.emptied(log, mode: 0o600)
        let nothing = try SystemFile.nothing()
        var launch = Subprocess.Launch(Deployment.program, ["dev", "--state", state] + options)
        launch.descriptors = [
            0: nothing.descriptor, 1: output.descriptor, 2: output.descriptor,
        ]
        launch.folder = place
        process = try Subprocess(launch)
    }

    /// What it has said so far.
    var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Waits until it says what to do next.
    func ready() async throws {
        let isReady = await waitUntil(seconds: 60) {
            self.said.contains("Ctrl-C") || self.process.ending() != nil
        }
        guard isReady, said.contains("Ctrl-C") else {
            process.send(SIGKILL)
            throw Failure(output: said)
        }
        started = Self.descendants(of: process.id)
    }

    /// Sends a signal and waits for its end; its exit code, 128 and the signal's number if that killed it.
    func end(by signal: Int32) async throws -> Int32 {
        process.send(signal)
        return try await end()
    }

    /// Waits for its end.
    func end() async throws -> Int32 { try await Program.end(of: process, seconds: 30) }

    /// Those of its processes that still run, by id, state and name. One that has ended and waits for its new parent,
    /// the system's first process, to take note does not.
    var left: [String] {
        started.compactMap { try? String(contentsOfFile: "/proc/\($0)/stat", encoding: .utf8) }
            .map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
            .filter { !$0.hasSuffix(" Z") }
    }

    /// The command that it printed for a shell.
    var printedCommand: String {
        let lines = said.components(separatedBy: "\n").drop { !$0.hasPrefix("curl") }
        return lines.prefix { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func descendants(of process: Int32) -> [Int32] {
        Deployment.children(of: process).flatMap { [$0] + descendants(of: $0) }
    }
}
