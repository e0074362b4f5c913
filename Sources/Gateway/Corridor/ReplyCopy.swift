internal import EventLoop
internal import HTTP
internal import Store

/// What goes out of a reply, kept for those who ask for the same once more.
@LoopActor
final class ReplyCopy {
    /// What becomes of the request's name.
    enum Fate: Sendable {
        /// The reply is good.
        case answered(KeptReply)
        /// It is good, but too large to be kept, or holds a secret.
        case forgotten(status: Int)
        /// Nothing has come of the request: it may be sent anew.
        case nothing
    }

    /// Bytes of the largest body that is kept.
    static let limit = 4 << 20

    private var body: [UInt8] = []
    private var isTooLarge = false
    private var settle: (@LoopActor (Fate) async -> Void)?

    /// `settle` is told once, and before the reply ends.
    init(_ settle: @escaping @LoopActor (Fate) async -> Void) {
        self.settle = settle
    }

    /// A piece of the body.
    func append(_ bytes: [UInt8]) {
        guard !isTooLarge else { return }
        guard body.count + bytes.count <= Self.limit else {
            isTooLarge = true
            body = []
            return
        }
        body += bytes
    }

    /// The reply is good, and whole up to its last frame.
    func keep(_ head: ResponseHead) async {
        let status = head.status.rawValue
        // RFC 9111, section 5.2.2.5.
        guard !isTooLarge, head.fields["cache-control"] != "no-store" else {
            return await end(.forgotten(status: status))
        }
        await end(
            .answered(
                KeptReply(
                    status: status, fields: head.fields.flatMap { [$0.name, $0.value] }, body: body)
            ))
    }

    /// The reply will not be whole, or is a failure. Without effect after `keep`.
    func drop() async {
        await end(.nothing)
    }

    private func end(_ fate: Fate) async {
        let settle = settle
        self.settle = nil
        body = []
        await settle?(fate)
    }
}

extension HTTP.Response {
    /// A reply that was given before.
    init(_ kept: KeptReply) {
        var fields: Fields = ["idempotent-replayed": "true"]
        for index in stride(from: 1, to: kept.fields.count, by: 2) {
            fields.append(kept.fields[index - 1], kept.fields[index])
        }
        self.init(status: Status(rawValue: kept.status), fields: fields, body: kept.body)
    }
}
