import History

/// A history that is put together by hand, second by second. It is in order as it begins: one token, one question with
/// its answer, all of it stored and charged.
struct HandMade {
    static let question = Said("user", "q")
    static let answer = Said("assistant", "a")

    var history = History()
    var stored = Stored()

    init() {
        mint("t", ended: 1)
        ask("op", at: 10)
        store(["q1": (nil, 0, Self.question), "a1": ("q1", 1, Self.answer)])
    }

    /// What is wrong with it.
    var kinds: [Violation.Kind] { history.violations(stored).map(\.kind) }

    mutating func mint(
        _ token: String, started: Int = 0, ended: Int, replaces: Bool = false,
        _ outcome: Event.Outcome = .ok
    ) {
        add("mint-\(token)", started, ended) {
            $0.deed = .mint(token: token, user: "u", replaces: replaces)
            $0.outcome = outcome
        }
    }

    mutating func revoke(
        _ token: String, started: Int, ended: Int, _ outcome: Event.Outcome = .ok
    ) {
        add("revoke-\(token)", started, ended) {
            $0.deed = .revoke(token: token)
            $0.outcome = outcome
        }
    }

    /// Uses a token for a second; the status is what came of it.
    mutating func use(_ token: String, at second: Int, status: Int?) {
        add("use-\(token)-\(second)", second, second + 1, token: token) { $0.status = status }
    }

    /// Asks and hears the whole answer, unless `change` makes it otherwise.
    mutating func ask(
        _ id: String, at second: Int, said: [Said] = [HandMade.question],
        _ change: (inout ChatDeed) -> Void = { _ in }
    ) {
        var chat = ChatDeed("c", said: said, expected: "a", isStream: true)
        chat.answer = "a"
        chat.transcript.status = 200
        chat.transcript.isDone = true
        chat.transcript.isClean = true
        change(&chat)
        add(id, second, second + 1, token: "t") {
            $0.status = chat.transcript.status
            $0.deed = .chat(chat)
        }
        history.requests[id] = "request-\(id)"
        history.logged.insert("request-\(id)")
        history.asked.append(.init(id, counted: Tokens(prompt: 3, completion: 2)))
        charge(id)
    }

    mutating func charge(_ id: String, _ tokens: Tokens = Tokens(prompt: 3, completion: 2)) {
        stored.usage.append(.init(request: "request-\(id)", isProviders: true, tokens: tokens))
    }

    /// Turns by their hashes: parent, position, message.
    mutating func store(_ turns: [String: (parent: String?, position: Int, said: Said)]) {
        for (hash, turn) in turns {
            var row = Stored.Turn("turn-\(hash)", owner: "u", conversation: "c", said: turn.said)
            row.parent = turn.parent
            row.hash = hash
            row.position = turn.position
            stored.turns.append(row)
        }
    }

    /// Changes the question of the beginning.
    mutating func changeChat(_ change: (inout ChatDeed) -> Void) {
        for index in history.events.indices {
            guard var chat = history.events[index].chat else { continue }
            change(&chat)
            history.events[index].status = chat.transcript.status
            history.events[index].deed = .chat(chat)
        }
    }

    mutating func add(
        _ id: String, _ started: Int, _ ended: Int, token: String = "admin",
        _ change: (inout Event) -> Void
    ) {
        var event = Event(id, by: "u", with: token, started: Int64(started) * 1_000_000)
        event.ended = Int64(ended) * 1_000_000
        change(&event)
        history.events.append(event)
    }
}
