package import HTTP
package import JSON

/// A refusal or failure as OpenAI's clients read it: a status, extra reply fields and
/// `{"error":{"message","type","param","code"}}`, all four keys always there.
///
/// `message` is shown to the caller word for word, so it names the fault and the next step and
/// never an internal. What only the log may know stays out of this type.
package struct APIError: Error, Sendable, CustomStringConvertible {
    /// The status of the reply; in a stream that is already open it is not sent.
    package var status: Status
    /// OpenAI's class of error, for example `invalid_request_error`.
    package var type: String
    /// The stable, machine-readable cause; `nil` is sent as JSON `null`.
    package var code: String?
    /// The path of the offending member, for example `messages[2].content`.
    package var param: String?
    /// English for the caller.
    package var message: String
    /// Extra reply fields, such as `retry-after`, `Allow` or `WWW-Authenticate`.
    package var fields: Fields

    /// An error as given; the named makers are the usual way.
    package init(
        _ status: Status, type: String, code: String?, param: String? = nil, _ message: String,
        fields: Fields = [:]
    ) {
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.message = message
        self.fields = fields
    }

    /// The reply body, UTF-8 JSON.
    package func body() -> [UInt8] {
        Value.object([Member("error", value)]).encoded()
    }

    /// The inner error object, for a reply body, a stream's failure event or a stored response.
    package var value: Value {
        [
            "message": .string(message),
            "type": .string(type),
            "param": param.map(Value.string) ?? .null,
            "code": code.map(Value.string) ?? .null,
        ]
    }

    /// Safe for a caller.
    package var description: String { message }
}
