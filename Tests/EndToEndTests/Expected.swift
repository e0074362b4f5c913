import TestSupport
import Testing

/// An error as the contract has it.
struct Expected: Sendable {
    var status: Int
    var type: String
    var code: String
    var param: String?

    init(_ status: Int, _ code: String, param: String? = nil, type: String? = nil) {
        self.status = status
        self.code = code
        self.param = param
        self.type = type ?? Self.type(of: status)
    }

    private static func type(of status: Int) -> String {
        switch status {
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 500, 503: "server_error"
        case 502, 504: "provider_error"
        default: "invalid_request_error"
        }
    }

    /// Records an issue for whatever differs.
    func check(
        _ reply: WebReply, of name: String = "", _ location: SourceLocation = #_sourceLocation
    ) {
        let error = reply.error
        let comment: Comment = "\(name) \(reply.status) \(reply.text)"
        #expect(reply.status == status, comment, sourceLocation: location)
        #expect(reply.head["content-type"] == "application/json", sourceLocation: location)
        #expect(reply.json.keys == ["error"], comment, sourceLocation: location)
        #expect(
            error.keys == ["message", "type", "param", "code"], comment, sourceLocation: location)
        #expect(error["type"].string == type, comment, sourceLocation: location)
        #expect(error["code"].string == code, comment, sourceLocation: location)
        #expect(error["param"].string == param, comment, sourceLocation: location)
        #expect(error["param"].exists, comment, sourceLocation: location)
        #expect(error["message"].string?.isEmpty == false, sourceLocation: location)
        for inside in Self.insides {
            let tells = reply.text.lowercased().contains(inside)
            #expect(!tells, "tells \(inside): \(comment)", sourceLocation: location)
        }
        let challenge = reply.head["www-authenticate"]
        #expect(challenge == (status == 401 ? "Bearer" : nil), sourceLocation: location)
    }

    /// Nothing of these is a caller's business.
    private static let insides = [
        "sql", "select ", "swift", "127.0.0.1", "10.0.0.1", "/tmp/", "canary-body",
        "canary-field", DeploymentPlan.providerKey, DeploymentPlan.pepper, "curl", "libpq",
    ]
}
