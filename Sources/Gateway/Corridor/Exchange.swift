internal import EventLoop
internal import FastCGI
internal import HTTP
internal import JSON
internal import OpenAI
internal import Store

/// One request and its reply on their way through the corridor. A station reads what earlier ones put here and adds
/// its own finding; the log line is made of the findings.
@LoopActor
final class Exchange {
    let connection: Connection
    let request: HTTP.Request
    /// The web server's id of the request, or one of ours. Fit for logs and headers.
    let requestID: String
    /// Monotonic milliseconds.
    let acceptedAt = Loop.now

    /// Of the route table; a label of bounded variety, unlike the path.
    var route = "none"
    /// Values of the path's variable segments.
    var pathValues: [String] = []
    var identity: Identity?
    /// Fields that a station wants in the reply, whatever it will be.
    var replyFields: Fields = [:]
    var findings = Findings()
    /// How far the reply has come.
    var progress = Progress()
    /// Of the reply, where the caller has named the request.
    var copy: ReplyCopy?

    /// What only the log line and the ledger want to know.
    struct Findings {
        var model: String?
        var provider: String?
        var providerModel: String?
        /// Calls of providers.
        var attempts = 0
        var isSideRequest = false
        /// The first answer did not fit, and the provider was told so.
        var isAskedAgain = false
        /// The reply is that to an earlier request of the same name.
        var isReplayed = false
        var usage: OpenAI.Usage?
        var firstEventAt: Int64?
        /// The full face of what went wrong. Never content, never a secret.
        var detail: String?
    }

    init(_ connection: Connection, requestID: String) {
        self.connection = connection
        request = connection.request
        self.requestID = requestID
    }

    /// The user who asks. Refuses anonymous callers, to whom nothing belongs.
    var signedInUser: User {
        get throws(APIError) {
            guard let user = identity?.user else { throw .userMissing }
            return user
        }
    }

    /// It is this worker that leaves: the caller is still there, and can be told.
    func isCutShort(by error: any Error) -> Bool {
        error is CancellationError && !connection.hasDeparted
    }

    /// Milliseconds since the request was accepted.
    var elapsed: Int { Int(Loop.now - acceptedAt) }

    /// Tells the caller what is not as he may think, in the reply's head if that is still to come.
    func warn(_ warning: String) {
        let others = replyFields["x-archway-warning"].map { "\($0); " } ?? ""
        replyFields["x-archway-warning"] = others + warning
    }

    /// The fields that every reply carries.
    var standardFields: Fields {
        var fields = replyFields
        fields["x-request-id"] = requestID
        fields["openai-processing-ms"] = String(elapsed)
        fields["openai-version"] = "2020-10-01"
        return fields
    }

    /// Begins the reply, with the standard fields added.
    func open(_ status: Status, _ fields: Fields) throws {
        var all = standardFields
        for (name, value) in fields { all[name] = value }
        progress.open(status.rawValue)
        try connection.open(ResponseHead(status: status, fields: all))
    }

    /// Settles what becomes of a request with a name, before the last frame of its reply goes out.
    func settle(_ head: ResponseHead, _ rest: [UInt8]) async {
        guard let copy else { return }
        guard head.status.isSuccess, progress.end ?? .completed == .completed else {
            return await copy.drop()
        }
        var head = head
        for (name, value) in replyFields { head.fields.append(name, value) }
        copy.append(rest)
        await copy.keep(head)
    }

    /// Sends a whole reply.
    func reply(_ response: HTTP.Response) async throws {
        await settle(response.head, response.body)
        var fields = response.head.fields
        fields["content-length"] = String(response.body.count)
        try open(response.head.status, fields)
        try await connection.finish(request.method == .head ? [] : response.body)
    }
}

extension HTTP.Response {
    /// A JSON reply.
    static func json(_ body: [UInt8], status: Status = .ok, fields: Fields = [:]) -> HTTP.Response {
        var fields = fields
        fields["content-type"] = "application/json"
        return HTTP.Response(status: status, fields: fields, body: body)
    }

    /// A JSON reply.
    static func json(_ value: Value, status: Status = .ok) -> HTTP.Response {
        json(value.encoded(), status: status)
    }
}
