internal import CPostgreSQL
internal import Glibc

/// Where the server is and how to sign in: a libpq connection string, taken apart once.
///
/// libpq would resolve host names while it blocks the whole loop, so names become addresses here,
/// once, before the loop runs. A name whose address changes later needs a restart; socket paths
/// (`host=/var/run/postgresql`) and `hostaddr=` need no resolution at all.
package struct Settings: Sendable {
    struct Endpoint: Sendable, Hashable {
        var host: String
        var address: String
        var port: String
    }

    private var options: [String: String] = [:]
    private(set) var endpoints: [Endpoint] = []
    /// A host name that still has no address: connecting would block.
    private(set) var unresolvedName: String?

    /// Seconds for one attempt (`connect_timeout`), 5 by default, at least 1.
    var connectTimeout: Int {
        max(1, options["connect_timeout"].flatMap { Int($0) } ?? 5)
    }

    /// Parses `conninfo` (key/value words or a `postgresql://` URI; `PQconninfoParse`).
    ///
    /// - Parameter resolvesNames: ask the system's resolver for host names. It *blocks*: true only
    ///   before the loop runs.
    package init(conninfo: String, resolvesNames: Bool) throws(DatabaseError) {
        options = try Self.parse(conninfo)
        if options["service"] != nil {
            throw .unavailable("the connection string names a service; write its settings instead")
        }
        let fallback = Self.defaults()
        let hosts = options["host"] ?? (options["hostaddr"] == nil ? fallback["host"] : nil) ?? ""
        let addresses = options["hostaddr"] ?? ""
        let ports = options["port"] ?? fallback["port"] ?? ""
        try setEndpoints(hosts, addresses, ports, resolvesNames)
    }

    private mutating func setEndpoints(
        _ hosts: String, _ addresses: String, _ ports: String, _ resolvesNames: Bool
    ) throws(DatabaseError) {
        let hosts = hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let addresses = addresses.split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init)
        let ports = ports.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for index in 0..<max(hosts.count, addresses.count) {
            let endpoint = Endpoint(
                host: hosts.indices.contains(index) ? hosts[index] : "",
                address: addresses.indices.contains(index) ? addresses[index] : "",
                port: ports.indices.contains(index) ? ports[index] : ports.first ?? "")
            if !Self.isName(endpoint.host) || !endpoint.address.isEmpty {
                endpoints.append(endpoint)
            } else if resolvesNames {
                for address in try Self.resolve(endpoint.host) {
                    endpoints.append(
                        Endpoint(host: endpoint.host, address: address, port: endpoint.port))
                }
            } else {
                unresolvedName = endpoint.host
            }
        }
    }

    /// Puts the first endpoint last, so that a host that swallows packets does not win every attempt.
    mutating func rotate() {
        guard endpoints.count > 1 else { return }
        endpoints.append(endpoints.removeFirst())
    }

    /// The words for `PQconnectStartParams`. `statementTimeout` is in milliseconds.
    ///
    /// Compiling a plan costs more than any of our statements gains: `jit=off`.
    /// A PgBouncer between us must ignore the start-up parameter `options`
    /// (`ignore_startup_parameters = options`) and then sets `statement_timeout` by `ALTER ROLE`.
    func words(statementTimeout: Int) -> [(key: String, value: String)] {
        var words = options
        words["connect_timeout"] = nil  // ours: libpq leaves it to whoever polls
        words["host"] = endpoints.map(\.host).joined(separator: ",")
        words["hostaddr"] = nil
        if endpoints.contains(where: { !$0.address.isEmpty }) {
            words["hostaddr"] = endpoints.map(\.address).joined(separator: ",")
        }
        words["port"] = endpoints.map(\.port).joined(separator: ",")
        words["client_encoding"] = "UTF8"
        words["options"] =
            (options["options"].map { $0 + " " } ?? "")
            + "-c statement_timeout=\(max(1, statementTimeout)) -c jit=off"
        let quiet = [
            "application_name": "archway", "gssencmode": "disable", "keepalives_idle": "10",
            "keepalives_interval": "5", "keepalives_count": "3",
            "tcp_user_timeout": String(max(1000, statementTimeout + 1000)),
        ]
        words.merge(quiet) { given, _ in given }
        return words.filter { !$0.value.isEmpty }.map { (key: $0.key, value: $0.value) }
    }

    private static func parse(_ conninfo: String) throws(DatabaseError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>? = nil
        guard let list = unsafe PQconninfoParse(conninfo, &message) else {
            unsafe PQfreemem(message)
            // libpq's message may quote the string, and the string may hold a password.
            throw .unavailable("the connection string is not one that libpq can read")
        }
        defer { unsafe PQconninfoFree(list) }
        return unsafe dictionary(list)
    }

    /// What the environment (`PGHOST`, `PGPORT`, …) and libpq's own defaults say.
    private static func defaults() -> [String: String] {
        guard let list = unsafe PQconndefaults() else { return [:] }
        defer { unsafe PQconninfoFree(list) }
        return unsafe dictionary(list)
    }

    private static func dictionary(
        _ list: UnsafeMutablePointer<PQconninfoOption>
    ) -> [String: String] {
        var result: [String: String] = [:]
        var option = unsafe list
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe result[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return result
    }

    /// Neither a socket path, nor an abstract socket, nor an address, nor empty.
    private static func isName(_ host: String) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") { return false }
        var four = in_addr()
        var six = in6_addr()
        return unsafe inet_pton(AF_INET, host, &four) != 1 && inet_pton(AF_INET6, host, &six) != 1
    }

    private static func resolve(_ name: String) throws(DatabaseError) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>? = nil
        guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else {
            throw .unavailable("the database's host name \(name) has no address")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count),
                nil, 0, NI_NUMERICHOST)
            if code == 0 {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                addresses.append(String(decoding: bytes, as: UTF8.self))
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        return addresses
    }
}
