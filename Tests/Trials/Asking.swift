import EventLoop
import Foundation
import History
import ScriptedProvider
import TestSupport

/// A question that a client puts, as often as it likes.
struct Question {
    /// When the client leaves without waiting for the end.
    enum Leaving { case afterPieces(Int), after(milliseconds: Int) }

    var conversation: String
    var said: [Said]
    var model: TrialModel
    var isStream = true
    /// The completion is to be stored.
    var isKept = false
    var leaving: Leaving?

    func request(_ event: String) -> WebRequest {
        let mark: [String: Any] = ["role": "system", "content": TrialSite.mark(event)]
        let messages = said.map { ["role": $0.role, "content": $0.text] as [String: Any] }
        var body: [String: Any] = ["model": model.id, "messages": [mark] + messages]
        if isStream { body["stream"] = true }
        if isKept { body["store"] = true }
        var request = WebRequest("POST", "/v1/chat/completions")
        request.fields = [
            ("Content-Type", "application/json"), ("X-OpenWebUI-Chat-Id", conversation),
        ]
        request.body = (try? JSONSerialization.data(withJSONObject: body)).map { Array($0) }
        return request
    }
}

/// Requests with one token of a user, each taken down from its beginning to its end.
@LoopActor struct Asking {
    /// Milliseconds after which a client gives up.
    private static let patience = 15_000

    let trial: Trial
    let user: String
    let token: Token

    /// Puts a question.
    func ask(_ question: Question) async -> Event {
        var event = trial.begin(by: user, with: token)
        let id = event.id
        var chat = ChatDeed(
            question.conversation, said: question.said,
            expected: question.model.expected(
                of: question.said.last?.text ?? "", isStream: question.isStream),
            isStream: question.isStream)
        var code: String?
        let ending = await exchange(question.request(id), id) { call, head in
            chat.transcript.status = head.status
            let warning = head["x-archway-warning"] ?? ""
            chat.isWarned = warning.contains("not being stored")
            if case .after(let milliseconds) = question.leaving {
                Loop.after(milliseconds: milliseconds) { call.leave() }
            }
            code =
                question.isStream && head.status == 200
                ? try await stream(call, question, &chat, id) : try await whole(call, &chat)
        }
        chat.transcript.isClean = ending.isClean
        chat.transcript.hasLeft = ending.hasLeft
        if !question.isKept || !chat.transcript.isWhole { chat.completion = nil }
        event.status = ending.status
        event.code = code
        event.outcome =
            chat.transcript.isWhole ? .ok : chat.transcript.hasError ? .fail : .unknown
        event.deed = .chat(chat)
        return trial.end(event)
    }

    /// Sends a request of another kind, with a JSON body or none. What it was can depend on the reply.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil,
        deed: @LoopActor (Tree) -> Event.Deed
    ) async -> (event: Event, reply: Tree) {
        var event = trial.begin(by: user, with: token)
        var request = WebRequest(method, path)
        if let body {
            request.fields.append(("Content-Type", "application/json"))
            request.body = Array(body.utf8)
        }
        var reply = Tree("")
        let ending = await exchange(request, event.id) { call, _ in
            var bytes: [UInt8] = []
            while let piece = try await call.next() { bytes += piece.bytes }
            reply = Tree(bytes)
        }
        event.status = ending.status
        event.code = reply["error"]["code"].string
        event.outcome = Event.outcome(of: ending.isClean ? ending.status : nil)
        event.deed = deed(reply)
        return (trial.end(event), reply)
    }

    /// How a request ended.
    private struct Ending {
        var status: Int?
        var isClean = false
        var hasLeft = false
    }

    private func exchange(
        _ request: WebRequest, _ event: String,
        _ read: @LoopActor (WebCall, WebHead) async throws -> Void
    ) async -> Ending {
        var request = request
        request.fields += [
            ("Authorization", "Bearer \(token.secret)"), ("X-Event", event),
        ]
        var ending = Ending()
        guard let call = try? trial.site.deployment.call(request) else { return ending }
        let limit = Loop.after(milliseconds: Self.patience) { call.leave() }
        defer { limit.cancel() }
        do {
            let head = try await call.head()
            ending.status = head.status
            try await read(call, head)
            ending.isClean = true
        } catch {
            ending.hasLeft = call.leftAt != nil
        }
        call.leave()
        return ending
    }

    /// Reads a stream; the code of its error, if it has one.
    private func stream(
        _ call: WebCall, _ question: Question, _ chat: inout ChatDeed, _ event: String
    ) async throws -> String? {
        var reader = WebEventReader()
        var (pieces, code) = (0, String?.none)
        while let piece = try await call.next() {
            for said in reader.take(piece) {
                if chat.transcript.isDone || chat.transcript.hasError {
                    chat.transcript.goesOn = true
                }
                if said.data == "[DONE]" {
                    chat.transcript.isDone = true
                    trial.tell(.done, event)
                    continue
                }
                let json = said.json
                if json["error"].exists {
                    chat.transcript.hasError = true
                    code = json["error"]["code"].string
                }
                chat.completion = chat.completion ?? json["id"].string
                guard let text = json["choices"][0]["delta"]["content"].string, !text.isEmpty
                else { continue }
                chat.answer += text
                pieces += 1
                trial.tell(chat.answer == chat.expected ? .lastPiece : .piece, event)
                if case .afterPieces(let count) = question.leaving, pieces >= count {
                    call.leave()
                }
            }
        }
        return code
    }

    /// Reads a reply that is no stream; the code of its error, if it is one.
    private func whole(_ call: WebCall, _ chat: inout ChatDeed) async throws -> String? {
        var bytes: [UInt8] = []
        while let piece = try await call.next() { bytes += piece.bytes }
        let json = Tree(bytes)
        chat.answer = json["choices"][0]["message"]["content"].string ?? ""
        chat.completion = json["id"].string
        chat.transcript.isDone = json["choices"][0]["finish_reason"].string != nil
        chat.transcript.hasError = json["error"].exists
        return json["error"]["code"].string
    }
}
