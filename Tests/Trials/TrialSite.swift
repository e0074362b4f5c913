import EventLoop
import Foundation
import History
import ScriptedProvider
import TestSupport

/// A deployment for trials, and what its logs and its provider tell of each event.
@LoopActor package final class TrialSite {
    package let deployment: Deployment
    /// The admin's token.
    let admin: Token
    /// Told of each question that the provider gets, by the event's name, and whether it was answered.
    var onQuestion: ((_ event: String, _ isAnswered: Bool) -> Void)?
    private var asked: [Int: History.Asked] = [:]
    /// The gateway's ports, by the event that it asks for.
    private var ports: [String: UInt16] = [:]
    private let lines: LogTail
    private let requests: LogTail

    /// Starts everything, and stops it when `body` has ended.
    package static func run<Result>(
        workers: Int, _ body: @LoopActor (TrialSite) async throws -> Result
    ) async throws -> Result {
        let site = try await start(workers: workers)
        do {
            let result = try await body(site)
            await site.deployment.stop()
            return result
        } catch {
            await site.deployment.stop()
            throw error
        }
    }

    private static func start(workers: Int) async throws -> TrialSite {
        var plan = DeploymentPlan()
        plan.workers = workers
        plan.hasOwnDatabase = true
        plan.providers = { port in
            """
              faulty:
                kind: openai
                base_url: http://127.0.0.1:\(port)/v1
                deadlines: { first_byte: 0.4, between_bytes: 0.4 }
                circuit_breaker: { failures: 0 }
            """
        }
        plan.models = TrialModel.configuration
        let deployment = try await Deployment.start(plan)
        try await deployment.archway("user", "create", "admin", "--role", "admin")
        let secret = try await deployment.archway("token", "create", "--user", "admin")
        return TrialSite(deployment, Token(label: "admin", secret: secret))
    }

    private init(_ deployment: Deployment, _ admin: Token) {
        self.deployment = deployment
        self.admin = admin
        lines = LogTail(deployment.log.path)
        requests = LogTail(deployment.folder + "/nginx-access.log")
        deployment.provider.observer = { [unowned self] in observe($0) }
    }

    /// What tells the provider, and nobody else, to which event a question belongs: an instruction, which is no turn.
    nonisolated static func mark(_ event: String) -> String { "event \(event) ." }

    private func observe(_ recorded: Recorded) {
        guard let event = Self.event(recorded.body) else { return }
        let counted = recorded.counted.map { Tokens(prompt: $0.prompt, completion: $0.completion) }
        asked[recorded.id] = History.Asked(event, counted: counted)
        ports[event] = recorded.port
        onQuestion?(event, recorded.ended != nil)
    }

    private static func event(_ body: [UInt8]) -> String? {
        guard let start = body.firstRange(of: Array("event ".utf8)) else { return nil }
        let name = body[start.upperBound...].prefix { $0 != UInt8(ascii: " ") }
        return String(decoding: name, as: UTF8.self)
    }

    /// The port from which the gateway has asked the provider for an event.
    func port(of event: String) -> UInt16? { ports[event] }

    /// Nothing of earlier trials is told any more.
    func forget() {
        (asked, ports) = ([:], [:])
        deployment.provider.clear()
        _ = (lines.take(), requests.take())
    }

    /// Adds to a history what the logs and the provider know by now.
    func complete(_ history: inout History) {
        history.asked = asked.sorted { $0.key < $1.key }.map(\.value)
        for line in requests.take() {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count > 2, words[2] != "-" else { continue }
            history.requests[String(words[2])] = String(words[0])
        }
        for line in lines.take() where line.hasPrefix(#"{"event":"request""#) {
            guard let start = line.firstRange(of: #""request_id":""#) else { continue }
            history.logged.insert(String(line[start.upperBound...].prefix { $0 != "\"" }))
        }
    }

    /// Workers, the oldest first.
    var workers: [Int32] {
        deployment.workers.map { ($0, ProcessFigures.startTime(of: $0)) }
            .sorted { $0.1 < $1.1 }.map(\.0)
    }
}

/// An API token and the name that it has in histories.
struct Token: Sendable, Hashable {
    var label: String
    var secret: String
}

/// Why a trial cannot go on.
struct TrialFailure: Error, CustomStringConvertible {
    let description: String
}
