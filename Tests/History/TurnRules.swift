/// What was acknowledged is stored: once, in its place, and nothing else.
struct TurnRules {
    /// A history of messages in one conversation, as a text that names it.
    private typealias Path = String

    /// The turns of one conversation.
    private struct Conversation: Hashable {
        var owner: String
        var name: String
    }

    private let events: [Event]
    private let turns: [Conversation: [Stored.Turn]]

    init(_ history: History, _ stored: Stored) {
        events = history.events
        turns = Dictionary(grouping: stored.turns) {
            Conversation(owner: $0.owner, name: $0.conversation)
        }
    }

    var violations: [Violation] {
        var found: [Violation] = []
        let chats = Dictionary(grouping: events.filter { $0.chat != nil }) {
            Conversation(owner: $0.user, name: $0.chat?.conversation ?? "")
        }
        for conversation in Set(chats.keys).union(turns.keys) {
            let (places, faults) = Self.places(turns[conversation] ?? [])
            found += faults
            found += Self.lost(chats[conversation] ?? [], places)
            found += Self.invented(turns[conversation] ?? [], places, chats[conversation] ?? [])
        }
        return found
    }

    /// The path to each turn that has a hash, by hash; and what is wrong with the tree.
    private static func places(
        _ turns: [Stored.Turn]
    ) -> (places: [String: (path: Path, turn: Stored.Turn)], faults: [Violation]) {
        var places: [String: (path: Path, turn: Stored.Turn)] = [:]
        var faults: [Violation] = []
        var seen: [Path: String] = [:]
        for turn in turns.sorted(by: { $0.position < $1.position }) {
            if turn.status == "in_progress" {
                faults.append(Violation(.turnUnfinished, turn.id, turn.conversation))
            }
            let parent = turn.parent.flatMap { places[$0] }
            let place = parent.map { $0.turn.position + 1 } ?? 0
            if turn.position != place || (parent == nil) != (turn.parent == nil) {
                faults.append(Violation(.turnOutOfOrder, turn.id, "\(turn.position), \(place)"))
            }
            guard let hash = turn.hash else { continue }
            let path = (parent?.path ?? "") + step(turn.said)
            if let other = seen.updateValue(turn.id, forKey: path) {
                faults.append(Violation(.turnDoubled, turn.id, "and \(other)"))
            }
            places[hash] = (path, turn)
        }
        return (places, faults)
    }

    private static func step(_ said: Said) -> Path { "\u{1}\(said.role)\u{2}\(said.text)" }

    private static func path(_ said: some Sequence<Said>) -> Path { said.map(step).joined() }

    private static func lost(
        _ chats: [Event], _ places: [String: (path: Path, turn: Stored.Turn)]
    ) -> [Violation] {
        let kept = Set(places.values.filter { $0.turn.status == "completed" }.map(\.path))
        return chats.compactMap { event in
            guard let chat = event.chat, chat.isAcknowledged else { return nil }
            let question = path(chat.said)
            guard kept.contains(question) else {
                return Violation(.turnLost, event.id, "the question, in \(chat.conversation)")
            }
            guard !kept.contains(question + step(Said("assistant", chat.answer))) else {
                return nil
            }
            return Violation(.turnLost, event.id, "the answer, in \(chat.conversation)")
        }
    }

    private static func invented(
        _ turns: [Stored.Turn], _ places: [String: (path: Path, turn: Stored.Turn)],
        _ chats: [Event]
    ) -> [Violation] {
        var known: Set<Path> = []
        for chat in chats.compactMap(\.chat) {
            for count in chat.said.indices { known.insert(path(chat.said[...count])) }
            let answers = [chat.expected, chat.transcript.isWhole ? chat.answer : nil]
            for answer in answers.compactMap({ $0 }) {
                known.insert(path(chat.said) + step(Said("assistant", answer)))
            }
        }
        return places.values.compactMap { path, turn in
            guard turn.status == "completed", !known.contains(path) else { return nil }
            return Violation(.turnInvented, turn.id, "\(turn.said.role): \(turn.said.text)")
        }
    }
}
