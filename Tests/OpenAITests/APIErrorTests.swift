import HTTP
import JSON
import OpenAI
import Testing

@Suite struct APIErrorTests {
    static let table: [(APIError, Status, String, String?)] = [
        (.emptyBody, 400, "invalid_request_error", "invalid_json"),
        (.bodyNotAnObject, 400, "invalid_request_error", "invalid_type"),
        (.missingParameter("a"), 400, "invalid_request_error", "missing_required_parameter"),
        (.invalidType("a", "b"), 400, "invalid_request_error", "invalid_type"),
        (.invalidValue("a", "b"), 400, "invalid_request_error", "invalid_value"),
        (.contextLengthExceeded(), 400, "invalid_request_error", "context_length_exceeded"),
        (.conflictingAPIKeys, 400, "invalid_request_error", "invalid_value"),
        (.missingAPIKey, 401, "invalid_request_error", "missing_api_key"),
        (.invalidAPIKey, 401, "invalid_request_error", "invalid_api_key"),
        (.expiredAPIKey, 401, "invalid_request_error", "expired_api_key"),
        (.permissionDenied("chat"), 403, "permission_error", "permission_denied"),
        (.userMissing, 403, "permission_error", "permission_denied"),
        (.modelNotAllowed("m"), 403, "permission_error", "model_not_allowed"),
        (.modelNotFound("m"), 404, "invalid_request_error", "model_not_found"),
        (.notFound, 404, "invalid_request_error", "not_found"),
        (.unknownPath, 404, "invalid_request_error", "not_found"),
        (.methodNotAllowed(allow: [.get]), 405, "invalid_request_error", "method_not_allowed"),
        (.idempotencyKeyInUse, 409, "invalid_request_error", "idempotency_conflict"),
        (.requestTooLarge(limit: 5), 413, "invalid_request_error", "request_too_large"),
        (.unsupportedMediaType, 415, "invalid_request_error", "unsupported_media_type"),
        (
            .rateLimitExceeded("m", retryAfter: 1), 429, "rate_limit_error",
            "rate_limit_exceeded"
        ),
        (
            .providerRateLimited(retryAfter: nil), 429, "rate_limit_error",
            "provider_rate_limited"
        ),
        (
            .concurrencyLimitExceeded(limit: 2), 429, "rate_limit_error",
            "concurrency_limit_exceeded"
        ),
        (.insufficientQuota("m"), 429, "insufficient_quota", "insufficient_quota"),
        (.contentFilter(), 400, "content_policy_violation", "content_filter"),
        (
            .refusedByPolicy(code: "pii_blocked", "m"), 400, "content_policy_violation",
            "pii_blocked"
        ),
        (.internalError, 500, "server_error", "internal_error"),
        (.providerUnreachable, 502, "provider_error", "provider_unreachable"),
        (.providerBadResponse, 502, "provider_error", "provider_bad_response"),
        (.providerDisconnected, 502, "provider_error", "provider_disconnected"),
        (.overloaded, 503, "server_error", "overloaded"),
        (.draining, 503, "server_error", "draining"),
        (.databaseUnavailable, 503, "server_error", "database_unavailable"),
        (.providerTimeout, 504, "provider_error", "provider_timeout"),
    ]

    @Test("every error has its status, type and code, and all four keys in this order")
    func shape() throws {
        for (error, status, type, code) in Self.table {
            #expect(error.status == status)
            #expect(error.type == type)
            #expect(error.code == code)
            let root = try Document(error.body()).root
            #expect(root.members.map(\.key) == ["error"])
            let members = root["error"]?.members.map(\.key)
            #expect(members == ["message", "type", "param", "code"])
            #expect(root["error"]?["message"]?.string?.isEmpty == false)
            #expect(root["error"]?["param"]?.isNull == (error.param == nil))
        }
    }

    @Test("refusals carry the fields that clients act on")
    func fields() {
        #expect(APIError.missingAPIKey.fields["www-authenticate"] == "Bearer")
        #expect(APIError.methodNotAllowed(allow: [.get, .post]).fields["allow"] == "GET, POST")
        let limited = APIError.rateLimitExceeded("m", retryAfter: 1.25)
        #expect(limited.fields["retry-after"] == "2")
        #expect(limited.fields["retry-after-ms"] == "1250")
        #expect(APIError.insufficientQuota("m").fields["x-should-retry"] == "false")
        #expect(APIError.draining.fields["retry-after"] != nil)
        #expect(APIError.databaseUnavailable.fields["retry-after"] != nil)
        #expect(APIError.requestTooLarge(limit: 67_108_864).message.contains("67108864"))
    }

    @Test("a waiting time that makes no sense is bounded")
    func waiting() {
        #expect(APIError.providerRateLimited(retryAfter: -1).fields["retry-after"] == "0")
        #expect(APIError.providerRateLimited(retryAfter: 1e12).fields["retry-after"] == "86400")
    }

    @Test("a model's name is echoed bounded and without control characters")
    func echo() {
        let error = APIError.modelNotFound("a\r\nb" + String(repeating: "c", count: 500))
        #expect(!error.message.contains("\n"))
        #expect(error.message.count < 250)
    }
}
