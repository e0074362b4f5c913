internal import Crypto
internal import JSON
internal import PostgreSQL
internal import Store

// Turns as JSON. Messages go in as they are.

extension Beginning {
    var value: Value {
        [
            "owner": .string(ownerID), "external_id": .optional(externalID), "id": .string(newID),
            "request": .string(requestID), "at": now.value, "turns": .array(turns.map(\.value)),
            "answer": answer.map(\.value) ?? .null,
        ]
    }

    init?(_ node: Node) {
        guard let owner = node["owner"]?.string, let id = node["id"]?.string,
            let request = node["request"]?.string, let at = Timestamp(node["at"]),
            let turns = node["turns"]?.elements.map(NewTurn.init)
        else { return nil }
        self.init(
            ownerID: owner, externalID: node["external_id"]?.string, newID: id,
            requestID: request, now: at)
        self.turns = turns.compactMap { $0 }
        answer = node["answer"].flatMap(NewAnswer.init)
        guard self.turns.count == turns.count else { return nil }
    }
}

extension NewTurn {
    fileprivate var value: Value {
        [
            "id": .string(id), "parent": .hexadecimal(parentHash), "hash": .hexadecimal(hash),
            "position": .integer(position), "role": .string(role),
            "message": .verbatim(Array(content)),
        ]
    }

    fileprivate init?(_ node: Node) {
        guard let id = node["id"]?.string, let hash = node["hash"]?.hexadecimal,
            let position = node["position"]?.integer, let role = node["role"]?.string,
            let message = node["message"]
        else { return nil }
        self.init(
            id: id, parentHash: node["parent"]?.hexadecimal, hash: hash, position: position,
            role: role, content: message.bytes)
    }
}

extension NewAnswer {
    fileprivate var value: Value {
        [
            "id": .string(id), "parent": .hexadecimal(parentHash), "position": .integer(position),
            "model": .string(model), "worker": .string(worker),
        ]
    }

    fileprivate init?(_ node: Node) {
        guard let id = node["id"]?.string, let position = node["position"]?.integer,
            let model = node["model"]?.string, let worker = node["worker"]?.string
        else { return nil }
        self.init(
            id: id, parentHash: node["parent"]?.hexadecimal, position: position, model: model,
            worker: worker)
    }
}

extension Ending {
    var value: Value {
        [
            "id": .string(answerID), "owner": .string(ownerID), "hash": .hexadecimal(hash),
            "message": .verbatim(Array(content)), "status": .string(status.rawValue),
            "at": now.value, "completion": completion.map(\.value) ?? .null,
        ]
    }

    init?(_ node: Node) {
        guard let id = node["id"]?.string, let owner = node["owner"]?.string,
            let message = node["message"], let at = Timestamp(node["at"]),
            let status = node["status"]?.string.flatMap(Turn.Status.init(rawValue:))
        else { return nil }
        self.init(
            answerID: id, ownerID: owner, hash: node["hash"]?.hexadecimal, content: message.bytes,
            status: status, now: at)
        completion = node["completion"].flatMap(NewCompletion.init)
    }
}

extension NewCompletion {
    fileprivate var value: Value {
        [
            "id": .string(id), "at": createdAt.value, "model": .string(model),
            "metadata": .verbatim(metadata), "messages": .verbatim(Array(messages)),
            "reply": .verbatim(reply),
        ]
    }

    fileprivate init?(_ node: Node) {
        guard let id = node["id"]?.string, let at = Timestamp(node["at"]),
            let model = node["model"]?.string, let metadata = node["metadata"],
            let messages = node["messages"], let reply = node["reply"]
        else { return nil }
        self.init(id: id, createdAt: at, model: model)
        self.metadata = Array(metadata.bytes)
        self.messages = messages.bytes
        self.reply = Array(reply.bytes)
    }
}

extension Value {
    static func optional(_ text: String?) -> Value { text.map { .string($0) } ?? .null }

    fileprivate static func hexadecimal(_ bytes: [UInt8]?) -> Value {
        .optional(bytes.map(Hex.encode))
    }
}

extension Node {
    fileprivate var hexadecimal: [UInt8]? { string.flatMap { Hex.decode($0) } }
}

extension Timestamp {
    var value: Value { .integer(Int(microseconds)) }

    init?(_ node: Node?) {
        guard let microseconds = node?.integer else { return nil }
        self.init(microseconds: Int64(microseconds))
    }
}
