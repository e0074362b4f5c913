/// A request as the web server handed it over.
package struct Request: Sendable {
    /// The method.
    package var method: Method
    /// The path, percent-encoded as received, without the query.
    package var path: String
    /// The query's pairs in order, decoded (see `Query.parse`).
    package var query: [(name: String, value: String)]
    /// The header fields.
    package var fields: Fields
    /// The whole body.
    package var body: [UInt8]
    /// The web server's name for this request; goes into the log and the reply.
    package var requestID: String
    /// The user whom the web server signed in, never taken from a header field.
    package var remoteUser: String?
    /// The client's address as the web server saw it.
    package var remoteAddress: String

    /// A request from its parts.
    package init(
        method: Method, path: String, query: [(name: String, value: String)] = [],
        fields: Fields = [:], body: [UInt8] = [], requestID: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.requestID = requestID
        remoteAddress = ""
    }
}
