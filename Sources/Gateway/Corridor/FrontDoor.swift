internal import EventLoop
internal import FastCGI
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import PostgreSQL
internal import Providers
internal import Store

/// Where every request comes in: the clock, the request id, the only `do`/`catch`, the one log line.
@LoopActor
struct FrontDoor {
    let worker: Worker

    /// Walks one request through the corridor.
    func serve(_ connection: FastCGI.Connection) async {
        let given = connection.request.requestID
        let exchange = Exchange(connection, requestID: given.isEmpty ? Identifier.digits() : given)
        if given.isEmpty { connection.name(exchange.requestID) }
        do {
            switch try await walk(exchange) {
            case .response(let response): try await exchange.reply(response)
            case .sent: break
            }
        } catch {
            await refuse(exchange, error)
        }
        worker.log.line(of: exchange)
    }

    /// Stations 3 and 4, then the route's own handler; of a request with a name, once.
    private func walk(_ exchange: Exchange) async throws -> Answer {
        let (route, values) = try routes.find(exchange.request.method, exchange.request.path)
        exchange.route = "\(route.method.name) \(route.path)"
        exchange.pathValues = values
        if case .open = route.access { return try await route.handler(exchange, worker) }

        let claim = try worker.identification.claim(of: exchange.request)
        let identity = try await worker.identification.identify(
            claim, requestID: exchange.requestID)
        exchange.identity = identity
        try admit(exchange, identity, to: route.access)
        guard route.access.takesPlace else { return try await handle(exchange, identity, route) }
        worker.running += 1
        defer { worker.running -= 1 }
        return try await handle(exchange, identity, route)
    }

    /// Station 5 and all behind it; once, if the request has a name.
    private func handle(
        _ exchange: Exchange, _ identity: Identity, _ route: Route
    ) async throws -> Answer {
        guard let key = try IdempotencyKey(exchange.request, identity) else {
            return try await route.handler(exchange, worker)
        }
        return try await worker.idempotency.once(key, exchange) {
            try await route.handler(exchange, worker)
        }
    }

    /// Whether this identity may take the route, and the request can be served at all.
    private func admit(_ exchange: Exchange, _ identity: Identity, to access: Access) throws {
        try Self.checkOrigin(exchange.request, identity)
        if !identity.permits(access) {
            guard case .action(let action) = access else {
                worker.auditRefusal(of: "sign in", in: exchange)
                throw APIError.permissionDenied(
                    because: "Your role permits nothing yet; ask an administrator for another one.")
            }
            worker.auditRefusal(of: action.rawValue, in: exchange)
            throw identity.isLimitedByToken(access)
                ? APIError.scopeMissing(action.rawValue)
                : APIError.permissionDenied(action.rawValue)
        }
        if exchange.connection.exceedsBodyLimit {
            throw APIError.requestTooLarge(limit: worker.configuration.bodyLimit)
        }
        if exchange.connection.hasWrongLength {
            throw APIError(
                400, type: "invalid_request_error", code: "invalid_json",
                "The body is not as long as Content-Length says.")
        }
        if access.takesPlace, worker.isFull { throw APIError.overloaded }
    }

    /// A browser that the web server signs in by a cookie or a password sends these along whichever page asks. No page
    /// of another site may change anything in that user's name.
    private static func checkOrigin(_ request: HTTP.Request, _ identity: Identity) throws(APIError)
    {
        guard identity.isSignedInByWebServer, request.method != .get, request.method != .head
        else { return }
        guard !request.isFromForeignPage else {
            throw .permissionDenied(
                because:
                    "A page of another site may not act for you here; use this site's own page."
            )
        }
    }

    /// Turns an error into a reply: the only place where that happens before a reply has begun.
    private func refuse(_ exchange: Exchange, _ error: any Error) async {
        exchange.findings.detail = exchange.findings.detail ?? exchange.fullFace(of: error)
        guard exchange.connection.state == .received, !exchange.connection.hasDeparted else {
            _ = exchange.progress.end(
                .incomplete, callerHasLeft: exchange.connection.hasDeparted)
            exchange.connection.breakOff()
            return
        }
        let face = APIError(of: error)
        if let code = face.code, ["model_not_allowed", "expired_api_key"].contains(code) {
            worker.auditRefusal(of: code, in: exchange)
        }
        do {
            try await exchange.reply(
                .json(face.body(), status: face.status, fields: face.fields))
        } catch {
            exchange.connection.breakOff()
        }
    }
}

extension APIError {
    /// The safe face of any error of the corridor.
    init(of error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as ProviderFailure: self = error.error
        case is UnknownCursor: self = .unknownCursor
        // The caller is still there: it is us who leave.
        case is CancellationError: self = .draining
        case let error as ClientError: self = ProviderFailure(error).error
        case let error as DatabaseError where error.kind == .unavailable:
            self = .databaseUnavailable
        case let error as DatabaseError where error.sqlstate == "22021":
            self = APIError(
                400, type: "invalid_request_error", code: "invalid_value",
                "The request holds the character U+0000, which cannot be stored; leave it out.")
        default: self = .internalError
        }
    }
}

extension Exchange {
    /// What the log may say about an error that ended this request.
    func fullFace(of error: any Error) -> String {
        isCutShort(by: error) ? "the drain timeout has passed" : Gateway.fullFace(of: error)
    }
}

/// What the log may say about an error.
func fullFace(of error: any Error) -> String {
    switch error {
    case let error as APIError: "\(error.code ?? error.type)"
    case is CancellationError: "the client has gone"
    case let error as any CustomDebugStringConvertible: error.debugDescription
    default: "\(error)"
    }
}

extension ProviderFailure {
    /// A failed exchange with a provider.
    init(_ error: ClientError) {
        let face: APIError =
            switch error.kind {
            case .unreachable, .tls, .invalidCall: .providerUnreachable
            case .timedOut(.connect), .timedOut(.tls): .providerUnreachable
            case .timedOut: .providerTimeout
            case .disconnected: .providerDisconnected
            case .exhausted: .overloaded
            case .badResponse, .tooLarge: .providerBadResponse
            }
        // Who is silent stays so, and what is wrong with the question will be.
        let isRetriable =
            switch error.kind {
            case .timedOut, .invalidCall, .tooLarge, .exhausted: false
            case .unreachable, .tls, .disconnected, .badResponse: true
            }
        self.init(
            face, isRetriable: isRetriable,
            isOutage: ![.tooLarge, .exhausted].contains(error.kind),
            detail: error.debugDescription)
    }
}
