/// A reply's status and header fields, before any body.
package struct ResponseHead: Sendable {
    /// The status.
    package var status: Status
    /// The header fields.
    package var fields: Fields

    /// A head from its parts.
    package init(status: Status, fields: Fields = [:]) {
        self.status = status
        self.fields = fields
    }
}

/// A reply whose body is there as a whole.
package struct Response: Sendable {
    /// Status and header fields.
    package var head: ResponseHead
    /// The body.
    package var body: [UInt8]

    /// A reply from its parts.
    package init(head: ResponseHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }

    /// A reply from status, fields and body.
    package init(status: Status, fields: Fields = [:], body: [UInt8] = []) {
        self.init(head: ResponseHead(status: status, fields: fields), body: body)
    }
}
