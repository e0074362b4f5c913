internal import HTTP

extension HTTP.Request {
    /// Whether a browser says that a page of another site asks: by `Origin` (RFC 6454), which browsers send with all
    /// that is no `GET`, or by `Sec-Fetch-Site`, which they send over TLS. What is no browser says neither. Ports do
    /// not count: cookies are sent to all ports of a host.
    var isFromForeignPage: Bool {
        if ["cross-site", "same-site"].contains(fields["sec-fetch-site"]) { return true }
        guard let origin = fields["origin"] else { return false }
        guard let scheme = origin.firstRange(of: "://"), let host = fields["host"] else {
            return true
        }
        return Self.name(origin[scheme.upperBound...]) != Self.name(host[...])
    }

    /// A host without its port; an IPv6 address stands in brackets.
    private static func name(_ host: Substring) -> String {
        let end = host.firstIndex(of: "]") ?? host.startIndex
        return host[..<(host[end...].firstIndex(of: ":") ?? host.endIndex)].lowercased()
    }
}
