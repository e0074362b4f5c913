package import HTTP

/// How long to wait for a provider, in seconds. Each runs out by itself.
package struct Deadlines: Sendable {
    /// For name look-up and TCP.
    package var connect = 5.0
    /// For the TLS handshake, from when TCP stands.
    package var tls = 5.0
    /// From the start of the call to the first byte of the reply's body.
    package var firstByte = 60.0
    /// Silence within the body; does not run while we are the ones who do not read.
    package var betweenBytes = 60.0
    /// From the start of the call to its end.
    package var total = 1800.0

    /// The defaults.
    package init() {}

    /// Deadlines one by one, in seconds.
    package init(
        connect: Double, tls: Double = 5, firstByte: Double, betweenBytes: Double, total: Double
    ) {
        self.connect = connect
        self.tls = tls
        self.firstByte = firstByte
        self.betweenBytes = betweenBytes
        self.total = total
    }
}

func milliseconds(_ seconds: Double) -> Int64 {
    Int64(min(max(seconds, 0.001), 1e9) * 1000)
}

/// One request to a provider.
package struct Call: Sendable {
    /// The method.
    package var method: Method
    /// An absolute URL with the scheme `http` or `https`.
    package var url: String
    /// Header fields. `Content-Length` and `Transfer-Encoding` are made from `body` and refused
    /// here, as is any value with CR, LF or NUL.
    package var fields: Fields
    /// The body; sent from this array's own storage.
    package var body: [UInt8]
    /// How long to wait.
    package var deadlines: Deadlines
    /// A PEM file of authorities that are trusted besides the system's.
    package var authorities: String?

    /// A call from its parts.
    package init(
        method: Method, url: String, fields: Fields = [:], body: [UInt8] = [],
        deadlines: Deadlines = Deadlines(), authorities: String? = nil
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.deadlines = deadlines
        self.authorities = authorities
    }
}

extension Call {
    /// Throws `.invalidCall` for what must not reach a provider.
    func check() throws(ClientError) {
        let scheme = url.utf8.prefix(8).map { $0 | 0x20 }
        guard scheme.starts(with: "http://".utf8) || scheme.starts(with: "https://".utf8) else {
            throw ClientError(.invalidCall, "the URL's scheme is neither http nor https")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw ClientError(.invalidCall, "a blank or control character in the URL")
        }
        guard method.isValid else {
            throw ClientError(.invalidCall, "the method is not a token")
        }
        for (name, _) in fields where Self.isReserved(name) {
            throw ClientError(.invalidCall, "the field \(name) is not the caller's")
        }
        do {
            try fields.check()
        } catch {
            throw ClientError(.invalidCall, error.debugDescription)
        }
    }

    /// The fields by which the message is framed.
    private static func isReserved(_ name: String) -> Bool {
        switch name.utf8.count {
        case 6: name.lowercased() == "expect"
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }
}
