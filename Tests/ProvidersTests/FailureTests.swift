import HTTP
import JSON
import OpenAI
import Providers
import Testing

@Suite struct FailureTests {
    struct Row: Sendable {
        let status: Status
        let body: String
        let seen: Status
        let code: String
        var param: String?
        var isRetriable = false
        var permitsFailover = true
    }

    static let rows = [
        Row(
            status: 400,
            body:
                #"""
                {"error":{"message":"temperature must be non-negative",\#
                "type":"BadRequestError","param":"temperature","code":400}}
                """#,
            seen: 400, code: "invalid_value", param: "temperature", permitsFailover: false),
        Row(
            status: 422, body: #"{"detail":"top_k is out of range"}"#, seen: 400,
            code: "invalid_value", permitsFailover: false),
        Row(
            status: 400,
            body:
                #"""
                {"object":"error","message":"This model's maximum context length is \#
                4096 tokens.","code":400}
                """#,
            seen: 400, code: "context_length_exceeded", param: "messages", permitsFailover: false),
        Row(
            status: 400,
            body:
                #"""
                {"error":{"code":400,"message":"the request exceeds the available \#
                context size","type":"exceed_context_size_error"}}
                """#,
            seen: 400, code: "context_length_exceeded", param: "messages", permitsFailover: false),
        Row(
            status: 500, body: #"{"error":{"message":"input is too long: context length"}}"#,
            seen: 400, code: "context_length_exceeded", param: "messages", permitsFailover: false),
        Row(
            status: 400,
            body: #"{"error":{"code":"content_filter","message":"The response was filtered"}}"#,
            seen: 400, code: "content_filter", permitsFailover: false),
        Row(
            status: 400,
            body:
                #"{"error":{"code":"unsupported_parameter","message":"no","param":"max_tokens"}}"#,
            seen: 400, code: "unsupported_parameter", param: "max_tokens", permitsFailover: false),
        Row(
            status: 400,
            body:
                #"{"error":{"code":"<script>","message":"no","param":"https://10.0.0.1/?a b"}}"#,
            seen: 400, code: "invalid_value", permitsFailover: false),
        Row(
            status: 401, body: #"{"error":{"message":"Incorrect API key sk-secret"}}"#, seen: 502,
            code: "provider_bad_response"),
        Row(status: 403, body: "", seen: 502, code: "provider_bad_response"),
        Row(
            status: 404, body: #"{"error":{"message":"The model `x` does not exist."}}"#,
            seen: 502, code: "provider_bad_response"),
        Row(status: 301, body: "", seen: 502, code: "provider_bad_response"),
        Row(status: 408, body: "", seen: 504, code: "provider_timeout", isRetriable: true),
        Row(status: 504, body: "<html>", seen: 504, code: "provider_timeout", isRetriable: true),
        Row(
            status: 429, body: "{}", seen: 429, code: "provider_rate_limited", isRetriable: true),
        Row(
            status: 429, body: #"{"error":{"code":"insufficient_quota","message":"pay"}}"#,
            seen: 429, code: "provider_rate_limited"),
        Row(
            status: 500, body: "Traceback /opt/vllm/x.py", seen: 502, code: "provider_bad_response",
            isRetriable: true),
        Row(status: 503, body: "", seen: 502, code: "provider_bad_response", isRetriable: true),
    ]

    @Test("a status and its words have one meaning")
    func meaning() {
        for row in Self.rows {
            for provider in [openAI, ollama] as [any Provider] {
                let failure = provider.failure(
                    status: row.status, fields: [:], body: Array(row.body.utf8))
                let what = Comment(rawValue: "\(row.status.rawValue) \(row.body)")
                #expect(failure.error.status == row.seen, what)
                #expect(failure.error.code == row.code, what)
                #expect(failure.error.param == row.param, what)
                #expect(failure.isRetriable == row.isRetriable, what)
                #expect(failure.permitsFailover == row.permitsFailover, what)
                #expect(!failure.error.message.contains("secret"), what)
                #expect(!failure.error.message.contains("/opt"), what)
                #expect(!failure.error.message.contains("://"), what)
            }
        }
    }

    @Test(
        "a provider in trouble is told from one that refuses",
        arguments: [
            (500, "", true), (503, "", true), (504, "", true), (301, "", true), (400, "", false),
            (401, "", false), (404, "", false), (408, "", false), (429, "", false),
            (500, #"{"error":"prompt is too long"}"#, false),
        ])
    func outage(_ status: Int, _ body: String, _ isOutage: Bool) {
        let failure = openAI.failure(
            status: Status(rawValue: status), fields: [:], body: Array(body.utf8))
        #expect(failure.isOutage == isOutage)
    }

    @Test("the provider's refusal is told in its words, bounded and without addresses")
    func words() {
        let long = String(repeating: "x", count: 900)
        let said = #"bad\nvalue, see http://vllm.internal:8000/docs \#(long)"#
        let body = #"{"error":{"message":"\#(said)"}}"#
        let message = openAI.failure(status: 400, fields: [:], body: Array(body.utf8)).error.message
        #expect(message.hasPrefix("bad value, see [address] xxx"))
        #expect(message.count == 500)
    }

    @Test(
        "the provider's waiting time is passed on",
        arguments: [
            (["retry-after": "7"], 7.0, "7"), (["retry-after-ms": "1500"], 1.5, "2"),
            (["retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"], nil, "5"), ([:], nil, "5"),
            (["retry-after": "nan"], nil, "5"),
            (
                [
                    "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
                    "date": "Wed, 21 Oct 2026 07:27:51 GMT",
                ], 9.0, "9"
            ),
        ])
    func waiting(_ given: [String: String], _ seconds: Double?, _ told: String) {
        var fields = Fields()
        for (name, value) in given { fields[name] = value }
        let failure = openAI.failure(status: 429, fields: fields, body: [])
        #expect(failure.retryAfter == seconds)
        #expect(failure.error.fields["retry-after"] == told)
        let broken = openAI.failure(status: 503, fields: fields, body: [])
        #expect(broken.retryAfter == seconds)
        #expect(broken.error.fields["retry-after"] == (seconds == nil ? nil : told))
    }

    @Test("the log gets what names the fault, and nothing of what was said")
    func detail() {
        let words = "Traceback: the prompt was canary"
        let labels = #""type":"server_error","code":"out-of-memory""#
        let named = #"{"error":{\#(labels),"message":"\#(words)"}}"#
        for body in [words, named, #"{"error":{"type":"\#(words)","code":"\#(words)"}}"#] {
            let failure = openAI.failure(status: 500, fields: [:], body: Array(body.utf8))
            #expect(failure.debugDescription.contains("provider said 500"))
            #expect(!failure.debugDescription.contains("canary"))
            #expect(!failure.description.contains("Traceback"))
        }
        let failure = openAI.failure(status: 500, fields: [:], body: Array(named.utf8))
        #expect(failure.debugDescription.contains("type server_error, code out-of-memory"))
    }

    @Test("a spoiled piece of an answer is not logged")
    func spoiled() throws {
        for body in [#"{"choices":[{"delta":{"content":"canary"#, "canary", #"["canary"]"#] {
            var reader = openAI.reader(of: try question())
            let failure = #expect(throws: ProviderFailure.self) {
                try reader.read(Array(body.utf8))
            }
            #expect(failure?.debugDescription.contains("canary") == false)
        }
    }
}
