import EventLoop
import Foundation
import TestSupport
import Testing

/// A person in Open WebUI, for whom it asks.
struct Person: Sendable {
    var id = UUID().uuidString.lowercased()
    var name = "Zoë Müller"

    /// The fields that Open WebUI sends with whatever it does for a person.
    var fields: [(name: String, value: String)] {
        [
            ("X-OpenWebUI-User-Name", "Zo%C3%AB M%C3%BCller"), ("X-OpenWebUI-User-Id", id),
            ("X-OpenWebUI-User-Email", "\(id)@example.org"), ("X-OpenWebUI-User-Role", "user"),
            ("X-OpenWebUI-Auth-Type", "jwt"),
        ]
    }
}

/// A chat as Open WebUI has it: a tree of messages, of which each request sends one branch, whole.
@LoopActor final class OpenWebUIChat {
    /// A message in the tree, by its number.
    typealias Place = Int

    private struct Entry {
        var parent: Place?
        var message: [String: Any]
        var status = "completed"
    }

    let id: String
    let person: Person
    private let site: Deployment
    /// Open WebUI itself, with its token.
    private let front: User
    private var entries: [Entry] = []
    private(set) var sideRequests = 0
    /// More members of each request.
    var members: [String: Any] = ["stream_options": ["include_usage": true], "temperature": 0.7]

    init(
        _ site: Deployment, _ front: User, _ person: Person = Person(),
        id: String = UUID().uuidString.lowercased()
    ) {
        (self.site, self.front, self.person, self.id) = (site, front, person, id)
    }

    /// All messages up to a place.
    func branch(to place: Place?) -> [[String: Any]] {
        guard let place else { return [] }
        return branch(to: entries[place].parent) + [entries[place].message]
    }

    /// What a message says.
    func text(at place: Place) -> String { entries[place].message["content"] as? String ?? "" }

    /// The message above.
    func parent(_ place: Place) -> Place? { entries[place].parent }

    private func add(
        _ message: [String: Any], below parent: Place?, _ status: String = "completed"
    ) -> Place {
        entries.append(Entry(parent: parent, message: message, status: status))
        return entries.count - 1
    }

    // MARK: What a person does

    /// Writes a question below an answer. Writing another one there is what "edit" does.
    func ask(_ content: Any, below place: Place?) -> Place {
        add(["role": "user", "content": content], below: place)
    }

    /// Has a model answer; again is what "regenerate" does, and several models may at once.
    func answer(_ question: Place, by model: String) async throws -> Place {
        let reply = try await send(request(branch(to: question), model)).reply()
        guard reply.status == 200, reply.isDone else { throw WebFailure.malformed(reply.text) }
        return add(Chat.assistant(reply.content), below: question)
    }

    /// Has a model answer that fails, and keeps what it said until then. The reply is for the error card.
    func fail(_ question: Place, by model: String) async throws -> WebReply {
        let reply = try await send(request(branch(to: question), model)).reply()
        _ = add(Chat.assistant(reply.content), below: question, "failed")
        return reply
    }

    /// Presses the stop button once the answer has some text.
    func stop(_ question: Place, by model: String, pieces: Int) async throws -> Place {
        let call = try send(request(branch(to: question), model))
        var (reader, texts) = (WebEventReader(), [String]())
        while texts.count < pieces, let piece = try await call.next() {
            texts += reader.take(piece).compactMap(\.content).filter { !$0.isEmpty }
        }
        call.leave()
        return add(Chat.assistant(texts.joined()), below: question, "incomplete")
    }

    /// Presses "continue": the answer is sent as the last message, and what comes is shown as one message with it.
    /// It is one from the next question on.
    func goOn(with answer: Place, by model: String) async throws -> Place {
        let reply = try await send(request(branch(to: answer), model)).reply()
        guard reply.isDone else { throw WebFailure.malformed(reply.text) }
        _ = add(Chat.assistant(reply.content), below: answer)
        return add(
            Chat.assistant(text(at: answer) + reply.content), below: entries[answer].parent)
    }

    /// Has a model answer by calls of tools, which are run here, until it says something.
    func answerByTools(_ question: Place, by model: String) async throws -> Place {
        var place = question
        for round in 0..<5 {
            var chat = request(branch(to: place), model)
            chat.members["tools"] = EndToEnd.Answers.tools
            let reply = try await send(chat).reply()
            let said = Said(reply)
            guard said.finish == "tool_calls" else {
                return add(Chat.assistant(reply.content), below: place)
            }
            let calls: [[String: Any]] = said.calls.enumerated().map { index, call in
                [
                    "index": index, "id": call.id, "type": "function",
                    "function": ["name": call.name, "arguments": call.arguments],
                ]
            }
            // Version 0.12.4 leaves the usage of the round in its first message.
            place = add(
                [
                    "role": "assistant", "content": "", "tool_calls": calls,
                    "usage": ["total_tokens": 3],
                ], below: place)
            for call in said.calls {
                place = add(
                    [
                        "role": "tool", "tool_call_id": call.id,
                        "content": "canary-result \(round) \(call.name)",
                    ], below: place)
            }
        }
        throw WebFailure.malformed("the model calls tools for ever")
    }

    /// Asks in the background what nobody wrote, and nobody sees in the chat.
    func ask(_ task: OpenWebUITask, about place: Place, by model: String) async throws -> WebReply {
        sideRequests += 1
        let history = branch(to: place)
            .map { "\($0["role"] ?? ""): \($0["content"] ?? "")" }
        var chat = request(task.messages(history.joined(separator: "\n")), model)
        chat.isStream = task.isStream
        chat.members = task.members
        if task.isNamed { chat.fields.append(("X-OpenWebUI-Task", task.name)) }
        return try await send(chat).reply()
    }

    func request(_ messages: [[String: Any]], _ model: String) -> Chat {
        let system = ["role": "system", "content": "canary-system User Context"]
        return Chat(model).streamed.inChat(id).with {
            $0.messages = [system] + messages
            $0.members = members
            $0.fields += person.fields
        }
    }

    func send(_ chat: Chat) throws -> WebCall { try site.chat(chat, front) }

    // MARK: Comparison

    /// Every message with the way to it and its status, sorted: the tree that the person sees.
    var seen: [String] {
        entries.indices.map { place in
            branch(to: place).map { Self.spelling(Tree($0)) }.joined(separator: " > ")
                + " (\(entries[place].status))"
        }.sorted()
    }

    /// The same of what is stored.
    func stored() async throws -> [String] {
        let rows = Tree(
            try await site.sql(
                """
                SELECT coalesce(json_agg(json_build_object('id', t.id, 'status', t.status,
                    'content', t.content, 'parent', p.id)), '[]')
                FROM conversations c JOIN users u ON u.id = c.owner_id
                JOIN turns t ON t.conversation_id = c.id
                LEFT JOIN turns p ON p.conversation_id = c.id AND p.hash = t.parent_hash
                WHERE c.external_id = '\(id)' AND u.name = '\(person.id)'
                """)
        ).array
        let byID = Dictionary(uniqueKeysWithValues: rows.map { ($0["id"].string ?? "", $0) })
        func path(_ row: Tree) -> String {
            let parent = row["parent"].string.flatMap { byID[$0] }.map { path($0) + " > " } ?? ""
            return parent + Self.spelling(Tree(row["content"].string ?? ""))
        }
        return rows.map { "\(path($0)) (\($0["status"].string ?? ""))" }.sorted()
    }

    private static func spelling(_ message: Tree) -> String {
        let parts = message["content"].array.map {
            $0["text"].string ?? $0["image_url"]["url"].string.map { "\($0.hashValue)" } ?? ""
        }
        let calls = message["tool_calls"].array.map {
            "\($0["function"]["name"]) \($0["function"]["arguments"])"
        }
        let text = message["content"].string ?? parts.joined(separator: "+")
        let role = message["role"].string ?? "assistant"
        return ([role, text.trimmingCharacters(in: .whitespaces)] + calls).joined(separator: " ")
    }
}

/// What Open WebUI asks on its own, as its default templates have it (0.6.34 to 0.12.4).
struct OpenWebUITask: Sendable, CustomTestStringConvertible {
    var name: String
    /// The instruction, up to the history.
    var prompt: String
    /// The connection sends the header that names the task.
    var isNamed = false
    var isStream = false

    var testDescription: String { name + (isNamed ? ", named" : "") }
    var members: [String: Any] { isStream ? [:] : ["max_tokens": 1000] }

    static let all = [
        OpenWebUITask(name: "title_generation", prompt: "### Task:\nGenerate a concise title"),
        OpenWebUITask(name: "tags_generation", prompt: "### Task:\nGenerate 1-3 broad tags"),
        OpenWebUITask(name: "follow_up_generation", prompt: "### Task:\nPredict 3-5 messages"),
        OpenWebUITask(name: "query_generation", prompt: "### Task:\nAnalyze the chat history"),
        OpenWebUITask(name: "image_prompt_generation", prompt: "### Task:\nGenerate a prompt"),
        OpenWebUITask(name: "autocomplete_generation", prompt: "### Task:\nYou are an auto"),
        OpenWebUITask(name: "emoji_generation", prompt: "Your task is to reflect the speaker's"),
        OpenWebUITask(
            name: "function_calling", prompt: "Available Tools: [{\"name\": \"weather\"}]"),
        OpenWebUITask(
            name: "moa_response_generation",
            prompt: "You have been provided with a set of responses from various models"),
    ]

    /// The same, told by the header.
    var named: OpenWebUITask {
        var task = self
        task.isNamed = true
        return task
    }

    func messages(_ history: String) -> [[String: Any]] {
        guard name != "function_calling" else {
            let system = ["role": "system", "content": "Be brief.\n" + prompt]
            return [system, Chat.user("History:\n\(history)\nQuery: canary-prompt")]
        }
        return [Chat.user("\(prompt)\n<chat_history>\n\(history)\n</chat_history>")]
    }
}
