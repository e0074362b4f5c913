/// A reply's status code (RFC 9110, section 15).
package struct Status: RawRepresentable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// The three digits as a number.
    package var rawValue: Int

    /// A status from its code; any number is taken as it is.
    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// A status from its code.
    package init(integerLiteral value: Int) {
        rawValue = value
    }

    /// Whether the code is one of 200 to 299.
    package var isSuccess: Bool { (200..<300).contains(rawValue) }

    /// The phrase that goes with the code; `Unknown` for a code that has none here.
    package var reason: String {
        switch rawValue {
        case 100..<200: "Continue"
        case 200..<300: Self.success[rawValue] ?? "OK"
        case 300..<400: "Redirect"
        default: Self.failure[rawValue] ?? "Unknown"
        }
    }

    private static let success = [201: "Created", 202: "Accepted", 204: "No Content"]

    private static let failure = [
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
        409: "Conflict", 410: "Gone", 411: "Length Required", 413: "Content Too Large",
        414: "URI Too Long", 415: "Unsupported Media Type", 422: "Unprocessable Content",
        429: "Too Many Requests", 431: "Request Header Fields Too Large",
        499: "Client Closed Request", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}

extension Status {
    /// 200.
    package static let ok: Status = 200
    /// 201.
    package static let created: Status = 201
    /// 202.
    package static let accepted: Status = 202
    /// 204: the reply has no body.
    package static let noContent: Status = 204
    /// 304: the reply has no body.
    package static let notModified: Status = 304
    /// 400.
    package static let badRequest: Status = 400
    /// 401.
    package static let unauthorized: Status = 401
    /// 403.
    package static let forbidden: Status = 403
    /// 404.
    package static let notFound: Status = 404
    /// 405: `Allow` names the methods.
    package static let methodNotAllowed: Status = 405
    /// 409.
    package static let conflict: Status = 409
    /// 413.
    package static let contentTooLarge: Status = 413
    /// 415.
    package static let unsupportedMediaType: Status = 415
    /// 422.
    package static let unprocessableContent: Status = 422
    /// 429.
    package static let tooManyRequests: Status = 429
    /// 500.
    package static let internalServerError: Status = 500
    /// 502.
    package static let badGateway: Status = 502
    /// 503.
    package static let serviceUnavailable: Status = 503
    /// 504.
    package static let gatewayTimeout: Status = 504
}
