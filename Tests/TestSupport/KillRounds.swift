import EventLoop
import Foundation
import System

/// Kills workers at random moments, while requests of several kinds run in conversations of their own, and compares
/// what the callers saw with what PostgreSQL holds. The same seed asks the same and kills at the same moments.
@LoopActor package final class KillRounds {
    /// How a request ended, as its caller saw it.
    package enum End: String, Sendable {
        /// A whole answer.
        case whole
        /// An error that says so, in the status or in the stream.
        case refused
        /// The transfer broke.
        case broken
        /// A clean end of something that is not whole: what must never be.
        case half
    }

    /// A request of a round.
    private struct Asked {
        var chat: String
        var end: End
        /// What a whole answer said.
        var text = ""
        var requestID = ""
    }

    /// What the models do: one for each phase in which a request can be.
    private static let models = [
        // Before headers, before the first text, in the middle, close to the end, long after it.
        "slow-first-300", "paced-20-20", "flat-20", "slow-end-500", "huge-300000",
    ]

    private let site: Deployment
    private let token: String
    private let seed: UInt64
    private var generator: SeededGenerator
    private var rounds = 0
    /// Requests by their end.
    package private(set) var counts: [End: Int] = [:]
    /// Workers that were killed.
    package private(set) var kills = 0
    /// What must never be, in words.
    package private(set) var faults: [String] = []

    /// Rounds in this deployment, whose scripted models are asked with this token.
    package init(_ site: Deployment, token: String, seed: UInt64) {
        self.site = site
        self.token = token
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    /// One round: so many requests at once, and one worker killed meanwhile.
    package func run(requests count: Int) async throws {
        rounds += 1
        let round = rounds
        let tasks = (0..<count).map { number in
            let chat = "kill-\(seed)-\(round)-\(number)"
            let model = Self.models.randomElement(using: &generator) ?? ""
            let isStream = Bool.random(using: &generator)
            return Task { @LoopActor in try await self.ask(chat, model, isStream: isStream) }
        }
        let moment = Int.random(in: 0...600, using: &generator)
        let (choice, signal) = (
            generator.next(), [SIGKILL, SIGKILL, SIGSEGV, SIGILL].randomElement(using: &generator)
        )
        try await Loop.sleep(milliseconds: moment)
        let workers = site.workers.sorted()
        if !workers.isEmpty {
            kill(workers[Int(choice % UInt64(workers.count))], signal ?? SIGKILL)
            kills += 1
        }
        var asked: [Asked] = []
        for task in tasks { asked.append(try await task.value) }
        for request in asked { counts[request.end, default: 0] += 1 }
        try await compare(asked)
    }

    /// To be called at the end: nothing is still being written, and whoever asks is served.
    package func settle() async throws {
        let isSettled = try await waitUntil(seconds: 20) {
            try await self.site.sql(
                """
                SELECT count(*) FROM turns t JOIN conversations c ON c.id = t.conversation_id
                WHERE c.external_id LIKE 'kill-\(self.seed)-%' AND t.status = 'in_progress'
                """) == "0"
        }
        if !isSettled { faults.append("answers of dead workers are still in progress") }
        let last = try await ask("kill-\(seed)-last", "flat-20", isStream: false)
        if last.end != .whole { faults.append("after the last kill a request is \(last.end)") }
    }

    private func ask(_ chat: String, _ model: String, isStream: Bool) async throws -> Asked {
        var request = WebRequest("POST", "/v1/chat/completions")
        request.fields = [
            ("Content-Type", "application/json"), ("Authorization", "Bearer \(token)"),
            ("X-OpenWebUI-Chat-Id", chat),
        ]
        let question = "canary-prompt \(chat)"
        let body =
            #"{"model":"\#(model)","stream":\#(isStream),"#
            + #""messages":[{"role":"user","content":"\#(question)"}]}"#
        request.body = Array(body.utf8)
        var asked = Asked(chat: chat, end: .broken)
        let reply: WebReply
        do {
            reply = try await site.call(request).reply()
        } catch is WebFailure {
            return asked
        }
        asked.requestID = reply.requestID
        asked.text = reply.content
        asked.end = Self.end(of: reply, isStream: isStream)
        if asked.end == .half {
            faults.append("\(chat): half an answer of \(model), cleanly ended")
        }
        return asked
    }

    private static func end(of reply: WebReply, isStream: Bool) -> End {
        if reply.status >= 500 { return reply.error["code"].exists ? .refused : .half }
        guard reply.status == 200 else { return .half }
        if !isStream {
            return reply.json["choices"][0]["finish_reason"].string == nil ? .half : .whole
        }
        if reply.isDone { return .whole }
        return reply.events.last?.json["error"].exists == true ? .refused : .half
    }

    /// Every whole answer is there once, word for word, and charged once; no other is more than once.
    private func compare(_ asked: [Asked]) async throws {
        let names = asked.map { "'\($0.chat)'" }.joined(separator: ",")
        let lines = try await site.sql(
            """
            SELECT c.external_id, t.status,
            CASE WHEN t.status = 'completed'
                THEN encode(convert_to((t.content::jsonb)->>'content', 'UTF8'), 'hex') END,
            (SELECT count(*) FROM usage u WHERE u.request_id = t.request_id)
            FROM turns t JOIN conversations c ON c.id = t.conversation_id
            WHERE c.external_id IN (\(names)) AND t.role = 'assistant'
            """)
        var stored: [String: [[String]]] = [:]
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            stored[String(parts[0]), default: []].append(parts.dropFirst().map(String.init))
        }
        for request in asked {
            let rows = stored[request.chat] ?? []
            if rows.count > 1 { faults.append("\(request.chat): stored \(rows.count) times") }
            if let count = rows.first?.last, count != "0", count != "1" {
                faults.append("\(request.chat): charged \(count) times")
            }
            guard request.end == .whole else { continue }
            let hex = request.text.utf8.map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            guard rows.first == ["completed", hex.joined(), "1"] else {
                faults.append(
                    "\(request.chat): acknowledged, but stored as \(rows)".prefix(300) + "")
                continue
            }
        }
    }
}
