/// A request method (RFC 9110, section 9). Case matters: `get` is not `GET`.
package enum Method: Hashable, Sendable {
    case get, post, put, patch, delete, head, options
    /// Any other method, spelled as it was received.
    case other(String)

    /// The method that `name` spells.
    package init(_ name: String) {
        switch name {
        case "GET": self = .get
        case "POST": self = .post
        case "PUT": self = .put
        case "PATCH": self = .patch
        case "DELETE": self = .delete
        case "HEAD": self = .head
        case "OPTIONS": self = .options
        default: self = .other(name)
        }
    }

    /// The spelling on the wire.
    package var name: String {
        switch self {
        case .get: "GET"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .head: "HEAD"
        case .options: "OPTIONS"
        case .other(let name): name
        }
    }

    /// Whether the name is a token, so that it can stand in a request line.
    package var isValid: Bool { isToken(name) }
}
