internal import EventLoop
internal import JSON
internal import PostgreSQL
internal import Store

/// Something that must be stored, and that the database could not take. Storing it twice is storing it once: ids and
/// times were made when it happened.
enum SpoolRecord: Sendable {
    case beginning(Beginning)
    case ending(Ending)
    case usage([UsageRow])
    case audit(AuditRow)

    /// The record as JSON.
    var bytes: [UInt8] {
        let (kind, content): (String, Value) =
            switch self {
            case .beginning(let beginning): ("beginning", beginning.value)
            case .ending(let ending): ("ending", ending.value)
            case .usage(let rows): ("usage", .array(rows.map(\.value)))
            case .audit(let row): ("audit", row.value)
            }
        return Value.object([Member("kind", .string(kind)), Member("content", content)]).encoded()
    }

    /// Nil for what is no record of this program's.
    init?(_ bytes: [UInt8]) {
        // What is in it was checked by narrower limits when it came.
        let limits = Limits(depth: 128, values: 8_000_000, refusesDuplicateKeys: false)
        guard let root = try? Document(bytes, limits: limits).root, let content = root["content"]
        else { return nil }
        switch root["kind"]?.string {
        case "beginning": self.init(Beginning(content).map(SpoolRecord.beginning))
        case "ending": self.init(Ending(content).map(SpoolRecord.ending))
        case "usage":
            let rows = content.elements.map(UsageRow.init)
            self.init(rows.contains { $0 == nil } ? nil : .usage(rows.compactMap { $0 }))
        case "audit": self.init(AuditRow(content).map(SpoolRecord.audit))
        default: return nil
        }
    }

    private init?(_ record: SpoolRecord?) {
        guard let record else { return nil }
        self = record
    }

    /// Stores it where it belongs. False: what it belongs to was deleted meanwhile, and nothing is stored.
    @LoopActor
    func store(in pool: Pool) async throws -> Bool {
        switch self {
        case .beginning(let beginning): _ = try await Conversations.begin(beginning, in: pool)
        case .ending(let ending): return try await Conversations.finish(ending, in: pool)
        case .usage(let rows): try await Usage.insert(rows, in: pool)
        case .audit(let row): try await Audit.insert([row], in: pool)
        }
        return true
    }
}

extension SpoolRecord: CustomStringConvertible {
    /// Its kind, for the log.
    var description: String {
        switch self {
        case .beginning: "beginning of a turn"
        case .ending: "end of a turn"
        case .usage: "usage"
        case .audit: "audit"
        }
    }
}
