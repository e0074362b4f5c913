package import HTTP

/// The FastCGI parameters of a request (RFC 3875, section 4.1), read as an HTTP request.
///
/// Trust lies in the names: what the web server sets itself (`REMOTE_USER`, `REQUEST_ID`) has no prefix, and what a
/// client sent always begins with `HTTP_`, so no header can pass for one of them.
package struct RequestParameters: Sendable {
    private let parameters: [(name: String, value: String)]

    package init(_ parameters: [(name: String, value: String)]) {
        self.parameters = parameters
    }

    /// The request with this body.
    package func request(body: [UInt8]) -> HTTP.Request {
        var target = ""
        var queryString: String?
        var request = HTTP.Request(method: .get, path: "/", body: body)
        for (name, value) in parameters {
            switch name {
            case "REQUEST_METHOD": request.method = Method(value)
            case "REQUEST_URI": target = value
            case "QUERY_STRING": queryString = value
            case "REMOTE_ADDR": request.remoteAddress = value
            case "REMOTE_USER": request.remoteUser = value.isEmpty ? nil : value
            case "REQUEST_ID": request.requestID = Self.isRequestID(value) ? value : ""
            case "CONTENT_TYPE": if !value.isEmpty { request.fields["content-type"] = value }
            default: Self.adopt(name, value, into: &request.fields)
            }
        }
        if request.remoteUser != nil, !isUserVouchedFor(request) { request.remoteUser = nil }
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        request.path = String(target[..<mark])
        let query = queryString ?? String(target[mark...].dropFirst())
        if !query.isEmpty { request.query = Query.parse(query) }
        return request
    }

    /// nginx's stock `fastcgi_params` passes as `REMOTE_USER` whatever name an `Authorization: Basic` header claims,
    /// and without `auth_basic` nobody has checked the password. That file is known by `REDIRECT_STATUS`. The name
    /// then counts only if the location says that it means it: by `AUTH_TYPE` (RFC 3875, section 4.1.1), or by a
    /// `REMOTE_USER` of its own beside that of the file.
    private func isUserVouchedFor(_ request: HTTP.Request) -> Bool {
        let scheme = request.fields["authorization"]?.prefix(6).lowercased()
        guard scheme == "basic ", parameters.contains(where: { $0.name == "REDIRECT_STATUS" })
        else { return true }
        return parameters.contains { $0.name == "AUTH_TYPE" && !$0.value.isEmpty }
            || parameters.count { $0.name == "REMOTE_USER" && !$0.value.isEmpty } > 1
    }

    private static func adopt(_ name: String, _ value: String, into fields: inout Fields) {
        guard name.hasPrefix("HTTP_"), !value.isEmpty else { return }
        let length = name.utf8.count - 5
        let field = unsafe String(unsafeUninitializedCapacity: length) { buffer in
            for (index, byte) in zip(0..<length, name.utf8.dropFirst(5)) {
                unsafe buffer[index] =
                    switch byte {
                    case UInt8(ascii: "_"): UInt8(ascii: "-")
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
                    default: byte
                    }
            }
            return length
        }
        fields.append(field, value)
    }

    /// What may go into logs and headers as it is.
    private static func isRequestID(_ value: String) -> Bool {
        (1...64).contains(value.utf8.count)
            && value.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                    || (0x61...0x7a).contains(byte) || byte == 0x2d || byte == 0x5f
            }
    }
}
