internal import Crypto
internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import PostgreSQL
internal import Store

/// Station 7: the conversation that a request belongs to. What the caller sent is stored before the provider is
/// called, and the answer has its place.
struct Recall: Sendable {
    /// The longest name that a front end may give to a conversation, in characters.
    static let longestID = 200
    /// Beginnings of names that stand for nothing lasting.
    private static let passing = ["local:", "temporary:", "channel:"]

    /// Nil while the database, which knows a front end's conversations by name, is away.
    let conversationID: String?
    let ownerID: String
    /// What was sent waits in the spool, and so must the answer.
    let isSpooled: Bool
    private let answerID: String
    private let parentHash: [UInt8]?

    /// The front end's name for the conversation, from the first configured field that has one. Nil when there is
    /// none, or only that of a passing chat. Throws when it is too long, or could be taken for another.
    static func externalID(_ fields: Fields, headers: [String]) throws(APIError) -> String? {
        for name in headers {
            guard let value = fields[name], !value.isEmpty else { continue }
            guard value.unicodeScalars.count <= longestID else {
                throw .invalidValue(name, "it must have at most \(longestID) characters")
            }
            guard !value.isMistakable else {
                throw .invalidValue(name, "it must be UTF-8 without control characters")
            }
            return passing.contains { value.hasPrefix($0) } ? nil : value
        }
        return nil
    }

    /// Stores the history and makes room for the answer. Throws a `DatabaseError` if it can be stored nowhere.
    @LoopActor
    static func begin(
        _ chat: Chat, owner: String, externalID: String?
    ) async throws -> Recall {
        var beginning = Beginning(
            ownerID: owner, externalID: externalID, newID: Identifier.make("conv"),
            requestID: chat.exchange.requestID, now: .now)
        var parent: [UInt8]?
        for message in chat.request.messages where !message.role.isInstruction {
            let hash = link(parent, message.canonical)
            beginning.turns.append(
                NewTurn(
                    id: Identifier.make("turn"), parentHash: parent, hash: hash,
                    position: beginning.turns.count, role: message.role.rawValue,
                    content: message.node.bytes))
            parent = hash
        }
        let answer = NewAnswer(
            id: Identifier.make("turn"), parentHash: parent, position: beginning.turns.count,
            model: chat.request.model, worker: chat.worker.instanceID)
        beginning.answer = answer
        let (id, isSpooled) = try await store(beginning, chat.worker)
        return Recall(
            conversationID: id, ownerID: owner, isSpooled: isSpooled, answerID: answer.id,
            parentHash: parent)
    }

    @LoopActor
    private static func store(
        _ beginning: Beginning, _ worker: Worker
    ) async throws -> (conversationID: String?, isSpooled: Bool) {
        do {
            let id = try await worker.spool.inTime {
                try await Conversations.begin(beginning, in: $0)
            }
            return (id, false)
        } catch let error as DatabaseError where error.kind == .unavailable {
            guard await worker.spool.store(.beginning(beginning), behindOthers: true) == .file
            else { throw error }
            // A conversation without another name is new, and has the name that we give it.
            return (beginning.externalID == nil ? beginning.newID : nil, true)
        }
    }

    /// Stores the answer, whole or not, and what its owner asks to keep. When it returns all of it is durable, unless
    /// it says otherwise.
    @LoopActor
    func finish(
        _ answer: ChatCompletion.Choice?, _ status: Turn.Status, keeping completion: NewCompletion?,
        in spool: Spool
    ) async -> Spool.Place {
        let message = answer.map { [Member("role", "assistant")] + $0.message } ?? []
        var ending = Ending(
            answerID: answerID, ownerID: ownerID,
            hash: answer.map { Self.link(parentHash, $0.canonical) },
            content: Value.object(message).encoded()[...], status: status, now: .now)
        ending.completion = completion
        return await spool.store(.ending(ending), behindOthers: isSpooled)
    }

    /// The hash of a history with one more message.
    private static func link(_ parent: [UInt8]?, _ message: CanonicalMessage) -> [UInt8] {
        let hasher = SHA256.Hasher()
        if let parent { hasher.update(parent) }
        message.forEachPiece { hasher.update($0) }
        return hasher.finish()
    }
}
