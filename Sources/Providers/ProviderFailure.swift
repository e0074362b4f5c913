import HTTP
import JSON
package import OpenAI

/// A provider's failure: what the caller may see, what to do about it, and what the log gets.
package struct ProviderFailure: Error, Sendable, CustomStringConvertible,
    CustomDebugStringConvertible
{
    /// The caller's face of it.
    package var error: APIError
    /// The same provider may do better at the next attempt.
    package var isRetriable: Bool
    /// Another candidate may do better.
    package var permitsFailover: Bool
    /// The provider itself is in trouble, and not only this request or our account with it.
    package var isOutage: Bool
    /// Seconds that the provider asks us to wait.
    package var retryAfter: Double?
    /// For the log only. Never the provider's words: they may repeat the caller's.
    package var detail: String

    /// A failure as given. What the caller shall see as a status of 500 or more is an outage, unless told otherwise.
    package init(
        _ error: APIError, isRetriable: Bool, permitsFailover: Bool = true, isOutage: Bool? = nil,
        retryAfter: Double? = nil, detail: String
    ) {
        self.error = error
        self.isRetriable = isRetriable
        self.permitsFailover = permitsFailover
        self.isOutage = isOutage ?? (error.status.rawValue >= 500)
        self.retryAfter = retryAfter
        self.detail = detail
    }

    /// Safe for a caller.
    package var description: String { error.message }
    /// For the log.
    package var debugDescription: String { "\(error.code ?? ""): \(detail)" }

    /// The provider sent something that is not its wire.
    static func badResponse(_ detail: String) -> ProviderFailure {
        ProviderFailure(.providerBadResponse, isRetriable: true, detail: detail)
    }

    /// Nothing is left of an answer but calls that the caller did not offer. The model errs; its provider is well.
    static var undeclaredCalls: ProviderFailure {
        ProviderFailure(
            .providerBadResponse, isRetriable: true, isOutage: false,
            detail: "no answer but calls of tools that the request does not have")
    }

    /// The answer stopped before its end.
    static func disconnected(_ detail: String) -> ProviderFailure {
        ProviderFailure(.providerDisconnected, isRetriable: true, detail: detail)
    }
}

/// What a provider says about an error, in whichever shape it says it.
struct ReportedError {
    var message = ""
    var type = ""
    var code = ""
    var param: String?
    /// The status, where the body repeats it.
    var status: Int?

    /// OpenAI's object, Ollama's bare string, FastAPI's `detail`, or a flat object.
    init(body: [UInt8]) {
        guard let root = try? Document(body).root else {
            message = String(decoding: body.prefix(300), as: UTF8.self)
            return
        }
        read(root["error"].flatMap { $0.isNull ? nil : $0 } ?? root)
    }

    init(_ node: Node) {
        read(node)
    }

    private mutating func read(_ node: Node) {
        if let text = node.string { message = text }
        for key in ["message", "detail", "error"] where message.isEmpty {
            message = node[key]?.string ?? ""
        }
        type = node["type"]?.string ?? ""
        code = node["code"]?.string ?? ""
        status = node["code"]?.integer ?? Int(code)
        param = node["param"]?.string
    }

    private func says(_ words: [String]) -> Bool {
        let text = "\(message) \(type) \(code)".lowercased()
        return words.contains { text.contains($0) }
    }

    var isAboutContextLength: Bool {
        says([
            "context_length", "context length", "context window", "context size", "max_model_len",
            "exceed_context", "prompt is too long", "too many tokens", "maximum context",
            "input is too long", "input length",
        ])
    }

    var isAboutContent: Bool {
        says([
            "content_filter", "content_policy", "content management policy", "responsibleaipolicy",
        ])
    }

    var isAboutQuota: Bool { says(["insufficient_quota", "billing"]) }

    var isAboutRate: Bool { says(["rate_limit", "rate limit", "too many requests"]) }

    /// Type and code, where they are words of a program, and the length of the message: what a log may tell.
    var labels: String {
        let words = [("type", type), ("code", code)].filter { Self.isLabel($0.1) }
            .map { ", \($0.0) \($0.1)" }
        return words.joined() + ", in \(message.utf8.count) bytes"
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
    }

    /// The provider's words, fit for the caller: bounded, one line, without addresses.
    var safeMessage: String {
        let line = message.split(whereSeparator: \.isWhitespace).map { word in
            word.contains("://") ? "[address]" : String(word)
        }.joined(separator: " ")
        return line.isEmpty ? "The model's provider refuses the request." : String(line.prefix(500))
    }

    var safeParam: String? {
        guard let param, (1...100).contains(param.utf8.count) else { return nil }
        let isPath = param.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_.[]-".utf8.contains(byte)
            }
        }
        return isPath ? param : nil
    }

    var safeCode: String {
        let isWord = code.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
        return (3...64).contains(code.utf8.count) && isWord ? code : "invalid_value"
    }
}

extension ProviderFailure {
    /// What a status and the provider's words mean. A provider that refuses *us* (401, 403) or
    /// does not have the model is the operator's trouble, so the caller sees a 502.
    init(status: Int, retryAfter: Double? = nil, _ reported: ReportedError) {
        let detail = "provider said \(status)\(reported.labels)"
        switch status {
        case 400, 413, 422:
            self.init(refusal: reported, detail: detail)
        case 429:
            self.init(
                .providerRateLimited(retryAfter: retryAfter),
                isRetriable: !reported.isAboutQuota, retryAfter: retryAfter, detail: detail)
        case 408, 504, 524:
            self.init(
                .providerTimeout, isRetriable: true, isOutage: status >= 500, detail: detail)
        case 500... where reported.isAboutContextLength:
            // llama.cpp and some proxies hide a 400 in a 500.
            self.init(refusal: reported, detail: detail)
        case 500...:
            self.init(
                .providerBadResponse.asking(toWait: retryAfter), isRetriable: true,
                retryAfter: retryAfter, detail: detail)
        default:
            self.init(
                .providerBadResponse, isRetriable: false, isOutage: status < 400, detail: detail)
        }
    }

    private init(refusal reported: ReportedError, detail: String) {
        let message = reported.safeMessage
        let error: APIError =
            if reported.isAboutContextLength {
                .contextLengthExceeded(message)
            } else if reported.isAboutContent {
                .contentFilter(message)
            } else {
                APIError(
                    400, type: "invalid_request_error", code: reported.safeCode,
                    param: reported.safeParam, message)
            }
        self.init(error, isRetriable: false, permitsFailover: false, detail: detail)
    }

    /// A failure that stands in a stream, where there is no status but perhaps its number.
    init(inStream reported: ReportedError) {
        let status: Int =
            if let status = reported.status, (400...599).contains(status) {
                status
            } else if reported.isAboutRate {
                429
            } else if reported.isAboutContextLength || reported.isAboutContent
                || reported.type == "invalid_request_error"
            {
                400
            } else {
                502
            }
        self.init(status: status, reported)
    }

    /// A reply with an error status.
    init(status: Status, fields: Fields, body: [UInt8]) {
        self.init(
            status: status.rawValue, retryAfter: waitingTime(fields), ReportedError(body: body))
    }
}

/// Seconds to wait, from `retry-after-ms` or `retry-after`. A date is one of the provider's clock, so it is compared
/// with the reply's own.
private func waitingTime(_ fields: Fields) -> Double? {
    if let text = fields["retry-after-ms"], let milliseconds = Double(text), milliseconds >= 0 {
        return min(milliseconds / 1000, 86_400)
    }
    guard let text = fields["retry-after"] else { return nil }
    if let seconds = Double(text) { return seconds >= 0 ? min(seconds, 86_400) : nil }
    guard let then = HTTPDate(text), let now = fields["date"].flatMap(HTTPDate.init) else {
        return nil
    }
    return Double(min(max(0, then.seconds - now.seconds), 86_400))
}
