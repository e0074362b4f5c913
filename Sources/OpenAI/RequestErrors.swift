package import HTTP
package import JSON

// The rows of the error table that say "the caller must change something".

private let invalidRequest = "invalid_request_error"

extension APIError {
    /// 400: the body has no byte.
    package static let emptyBody = APIError(
        400, type: invalidRequest, code: "invalid_json",
        "The request body is empty; send a JSON object.")

    /// 400: the body is JSON but no object.
    package static let bodyNotAnObject = APIError(
        400, type: invalidRequest, code: "invalid_type",
        "The request body must be an object, for example {\"model\": …}.")

    /// 400: the body does not parse; names the reason and the byte, and the path of a key that is there twice.
    package static func invalidJSON(_ error: ParseError) -> APIError {
        APIError(
            400, type: invalidRequest, code: "invalid_json", param: error.path.map(echo),
            "The request body is not valid JSON: \(error.reason) at byte \(error.offset).")
    }

    /// 400: a member that must be there is not.
    package static func missingParameter(_ path: String) -> APIError {
        APIError(
            400, type: invalidRequest, code: "missing_required_parameter", param: echo(path),
            "Missing required parameter: '\(echo(path))'.")
    }

    /// 400: a member has the wrong type. `expected` reads after "must be", as in "a string".
    package static func invalidType(_ path: String, _ expected: String) -> APIError {
        APIError(
            400, type: invalidRequest, code: "invalid_type", param: echo(path),
            "Invalid type for '\(echo(path))': it must be \(expected).")
    }

    /// 400: a member has the right type and a value that cannot be. `why` is a clause without a stop.
    package static func invalidValue(_ path: String, _ why: String) -> APIError {
        APIError(
            400, type: invalidRequest, code: "invalid_value", param: echo(path),
            "Invalid value for '\(echo(path))': \(why).")
    }

    /// 400: a member of the body, or of the query, that the route does not have.
    package static func unknownParameter(_ path: String) -> APIError {
        APIError(
            400, type: invalidRequest, code: "unknown_parameter", param: echo(path),
            "Unknown parameter: '\(echo(path))'; leave it out or check its spelling.")
    }

    /// 400: the prompt does not fit into the model's window. `message` may be the provider's.
    package static func contextLengthExceeded(_ message: String? = nil) -> APIError {
        APIError(
            400, type: invalidRequest, code: "context_length_exceeded", param: "messages",
            message ?? "The messages exceed the model's context length; shorten them.")
    }

    /// 400: two fields carry two different API tokens.
    package static let conflictingAPIKeys = APIError(
        400, type: invalidRequest, code: "invalid_value",
        "The request carries two different API keys; send one, in 'Authorization: Bearer'.")

    /// 401: a key is needed and none was sent.
    package static let missingAPIKey = unauthorized(
        "missing_api_key", "No API key was sent; put one in 'Authorization: Bearer <key>'.")

    /// 401: unknown, malformed or revoked, which look alike from outside.
    package static let invalidAPIKey = unauthorized(
        "invalid_api_key", "The API key is not valid; check it or mint a new one.")

    /// 401: the key was good until its expiry.
    package static let expiredAPIKey = unauthorized(
        "expired_api_key", "The API key has expired; mint a new one.")

    private static func unauthorized(_ code: String, _ message: String) -> APIError {
        APIError(
            401, type: invalidRequest, code: code, message, fields: ["WWW-Authenticate": "Bearer"])
    }

    /// 403: the user might, the token that he came with may not.
    package static func scopeMissing(_ action: String) -> APIError {
        APIError(
            403, type: "permission_error", code: "permission_denied",
            "This API token does not have the scope '\(action)'; use one that has.")
    }

    /// 403: the role does not include the action.
    package static func permissionDenied(_ action: String) -> APIError {
        APIError(
            403, type: "permission_error", code: "permission_denied",
            "Your role does not permit '\(action)'; ask an administrator for it.")
    }

    /// 403: it is not the role that lacks an action. `message` is a sentence or two.
    package static func permissionDenied(because message: String) -> APIError {
        APIError(403, type: "permission_error", code: "permission_denied", message)
    }

    /// 403: what is asked for belongs to a user, and the caller is nobody.
    package static let userMissing = permissionDenied(
        because: "This belongs to users, and you are anonymous; send an API key.")

    /// 403: the model exists and this caller may not use it.
    package static func modelNotAllowed(_ name: String) -> APIError {
        APIError(
            403, type: "permission_error", code: "model_not_allowed", param: "model",
            "You may not use the model '\(echo(name))'; GET /v1/models lists those you may use.")
    }

    /// 404: no such model.
    package static func modelNotFound(_ name: String) -> APIError {
        APIError(
            404, type: invalidRequest, code: "model_not_found", param: "model",
            "The model '\(echo(name))' does not exist; GET /v1/models lists those you may use.")
    }

    /// 404: no such object, or another user's: one body for both.
    package static let notFound = APIError(
        404, type: invalidRequest, code: "not_found", "There is no such object; check its id.")

    /// 404: a list has no entry of the id after which its page should begin.
    package static let unknownCursor = APIError(
        404, type: invalidRequest, code: "not_found", param: "after",
        "The list has no object of the id in 'after'; use the 'last_id' of the page before.")

    /// 404: no route has this path.
    package static let unknownPath = APIError(
        404, type: invalidRequest, code: "not_found",
        "There is no such path; check its spelling, and that the base URL ends in /v1.")

    /// 405: the path is known, the method is not; `allow` are the methods that are.
    package static func methodNotAllowed(allow: [Method]) -> APIError {
        let list = allow.map(\.name).joined(separator: ", ")
        return APIError(
            405, type: invalidRequest, code: "method_not_allowed",
            "This path does not take this method; it takes \(list).", fields: ["Allow": list])
    }

    /// 413: the body is longer than `limit` bytes.
    package static func requestTooLarge(limit: Int) -> APIError {
        APIError(
            413, type: invalidRequest, code: "request_too_large",
            "The request body is larger than the limit of \(limit) bytes; shorten it.")
    }

    /// 415: the body is not declared as something that the route reads.
    package static let unsupportedMediaType = APIError(
        415, type: invalidRequest, code: "unsupported_media_type",
        "The request body must be JSON; send 'Content-Type: application/json'.")

    /// 409: a request of this idempotency key runs.
    package static let idempotencyKeyInUse = idempotencyConflict(
        "A request with this idempotency key is still running; try again shortly.",
        ["retry-after": "1"])

    /// 409: the idempotency key was given to a request that asked something else.
    package static let idempotencyKeyTaken = idempotencyConflict(
        "This idempotency key was used for another request; take a new key for each request.",
        ["x-should-retry": "false"])

    /// 409: the request was answered; its reply cannot be given again.
    package static let idempotentReplyForgotten = idempotencyConflict(
        "The request with this idempotency key was answered, and its reply is not kept; look whether it has had its "
            + "effect before you send it with a new key.", ["x-should-retry": "false"])

    private static func idempotencyConflict(_ message: String, _ fields: Fields) -> APIError {
        APIError(
            409, type: invalidRequest, code: "idempotency_conflict", message, fields: fields)
    }

    /// 400: one of our content policies refuses; `code` names it, for example `pii_blocked`.
    package static func refusedByPolicy(code: String, param: String? = nil, _ message: String)
        -> APIError
    {
        APIError(400, type: "content_policy_violation", code: code, param: param, message)
    }

    /// 400: the text was refused by a content filter, ours or the provider's.
    package static func contentFilter(_ message: String? = nil) -> APIError {
        refusedByPolicy(
            code: "content_filter",
            message ?? "A content filter refused the messages; change them and try again.")
    }

    /// What a caller wrote, fit to stand in a message: bounded and without control characters.
    package static func echo(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(100).filter { $0.value >= 32 }))
    }
}
