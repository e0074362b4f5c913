package import HTTP

// The rows of the error table that say "wait, or tell the operator".

extension APIError {
    /// 429: a limit of ours on requests or tokens a minute. `limits` are the `x-ratelimit-*` fields.
    package static func rateLimitExceeded(
        _ message: String, retryAfter seconds: Double, limits: Fields = [:]
    ) -> APIError {
        limited("rate_limit_exceeded", message, seconds, limits)
    }

    /// 429: too many requests of this caller are running at the same time.
    package static func concurrencyLimitExceeded(limit: Int, limits: Fields = [:]) -> APIError {
        limited(
            "concurrency_limit_exceeded",
            "You already have \(limit) requests running; wait for one to finish.", 1, limits)
    }

    /// 429: the provider says that we ask too often.
    package static func providerRateLimited(retryAfter seconds: Double?) -> APIError {
        limited(
            "provider_rate_limited", "The model is busy at its provider; try again shortly.",
            seconds ?? 5, [:])
    }

    /// 429: the quota of the period is spent, so that a retry cannot help.
    package static func insufficientQuota(_ message: String, limits: Fields = [:]) -> APIError {
        var fields = limits
        fields["x-should-retry"] = "false"
        return APIError(
            429, type: "insufficient_quota", code: "insufficient_quota", message, fields: fields)
    }

    /// 500: a fault of ours. The reply's `x-request-id` finds the log line.
    package static let internalError = APIError(
        500, type: "server_error", code: "internal_error",
        "The gateway failed; try again, and tell the administrator the x-request-id if it persists."
    )

    /// 502: no connection to the provider.
    package static let providerUnreachable = provider(
        502, "provider_unreachable", "The model's provider cannot be reached; try again shortly.")

    /// 502: the provider has failed so often that it is not asked for a while.
    package static let providerPaused = provider(
        502, "provider_unreachable",
        "The model's provider keeps failing and is given a pause; try again shortly.")

    /// 502: the provider answered something that is no answer, or refuses the gateway itself.
    package static let providerBadResponse = provider(
        502, "provider_bad_response",
        "The model's provider gave an unusable answer; try again, or use another model.")

    /// 502: the answer is not what `response_format` asks for, also when the model was told so. `fault` is a clause
    /// without a stop.
    package static func formatMissed(_ fault: String) -> APIError {
        provider(
            502, "provider_bad_response",
            "The model's answer does not fit 'response_format', nor did its second: \(fault). "
                + "Try again, or use another model.")
    }

    /// 502: the answer stopped before its end.
    package static let providerDisconnected = provider(
        502, "provider_disconnected",
        "The model's provider broke off before the answer was complete; try again.")

    /// 504: the provider took longer than a deadline.
    package static let providerTimeout = provider(
        504, "provider_timeout", "The model's provider did not answer in time; try again.")

    /// 503: every place is taken.
    package static let overloaded = unavailable(
        "overloaded", "The gateway is at its capacity; try again shortly.", retryAfter: 2)

    /// 503: as many calls of the provider are running as it shall have.
    package static let providerOverloaded = unavailable(
        "overloaded", "The model is busy with other requests; try again shortly.", retryAfter: 1)

    /// The same with `retry-after`, rounded up to whole seconds, if it is known.
    package func asking(toWait seconds: Double?) -> APIError {
        guard let seconds else { return self }
        var error = self
        error.fields["retry-after"] = String(Int(min(max(seconds, 1), 86_400).rounded(.up)))
        return error
    }

    /// 503: this worker is about to stop.
    package static let draining = unavailable(
        "draining", "The gateway is restarting; try again.", retryAfter: 1)

    /// 503: what the request needs is in the database, which does not answer. Never a 401.
    package static let databaseUnavailable = unavailable(
        "database_unavailable", "The gateway's database is not available; try again shortly.",
        retryAfter: 2)

    private static func provider(_ status: Status, _ code: String, _ message: String) -> APIError {
        APIError(status, type: "provider_error", code: code, message)
    }

    private static func unavailable(_ code: String, _ message: String, retryAfter seconds: Int)
        -> APIError
    {
        APIError(
            503, type: "server_error", code: code, message,
            fields: ["retry-after": String(seconds)])
    }

    private static func limited(
        _ code: String, _ message: String, _ seconds: Double, _ limits: Fields
    ) -> APIError {
        var fields = limits
        // The SDKs give up above 120 s; a longer wait is told as it is all the same.
        let bounded = min(max(seconds, 0), 86_400)
        fields["retry-after"] = String(Int(bounded.rounded(.up)))
        fields["retry-after-ms"] = String(Int((bounded * 1000).rounded(.up)))
        return APIError(429, type: "rate_limit_error", code: code, message, fields: fields)
    }
}
