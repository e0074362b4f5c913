import HTTP
import JSON

/// What the provider saw of one request.
package struct Recorded: Sendable {
    /// Counts from 1 in the order of arrival.
    package var id: Int
    /// The number of the connection, from 1.
    package var connection: Int
    package var method: String
    package var path: String
    package var fields: Fields
    package var body: [UInt8]
    /// The model asked for, if any.
    package var model: String?
    /// When the request was there as a whole (`CLOCK_MONOTONIC`, µs).
    package var started: Int64
    /// When the reply had been sent or the client had gone.
    package var ended: Int64?
    /// Whether the client closed before the reply was whole.
    package var closedEarly = false
    /// Steps and pieces of text sent.
    package var pieces = 0
    /// The client's port.
    package var port: UInt16 = 0
    /// The token counts that were told to the client, if any were.
    package var counted: Counted?

    /// Prompt and completion, in tokens.
    package struct Counted: Sendable, Hashable {
        package var prompt: Int
        package var completion: Int

        package init(prompt: Int, completion: Int) {
            self.prompt = prompt
            self.completion = completion
        }
    }

    var value: Value {
        .object([
            Member("id", .integer(id)), Member("connection", .integer(connection)),
            Member("method", .string(method)), Member("path", .string(path)),
            Member("model", model.map { .string($0) } ?? .null),
            Member("authorization", fields["Authorization"].map { .string($0) } ?? .null),
            Member("fields", .object(fields.map { Member($0.name, .string($0.value)) })),
            Member("body", .string(String(decoding: body, as: UTF8.self))),
            Member("started", .integer(Int(started))),
            Member("ended", ended.map { .integer(Int($0)) } ?? .null),
            Member("closed_early", .boolean(closedEarly)), Member("pieces", .integer(pieces)),
        ])
    }
}

/// The latest requests, oldest first.
struct Recording {
    private var entries: [Recorded] = []
    private var next = 1
    private static let capacity = 4000

    var all: [Recorded] { entries }

    /// Gives the entry its number.
    mutating func add(_ entry: Recorded) -> Recorded {
        var entry = entry
        entry.id = next
        next += 1
        if entries.count >= 2 * Self.capacity { entries.removeFirst(Self.capacity) }
        entries.append(entry)
        return entry
    }

    /// Changes an entry, if it is still there.
    mutating func change(_ id: Int, _ body: (inout Recorded) -> Void) -> Recorded? {
        guard let first = entries.first, entries.indices.contains(id - first.id) else { return nil }
        body(&entries[id - first.id])
        return entries[id - first.id]
    }

    mutating func clear() { entries = [] }
}
