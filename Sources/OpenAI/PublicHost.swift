/// Whether a web address names a host of the public net, so that telling it to an outside service
/// gives nothing away. In doubt it does not.
func isPublic(_ url: String) -> Bool {
    guard let scheme = url.firstRange(of: "://") else { return false }
    let authority = url[scheme.upperBound...].prefix { !"/?#\\".contains($0) }
    guard !authority.contains("@"), !authority.hasPrefix("[") else { return false }
    var host = authority.prefix { $0 != ":" }.lowercased()[...]
    if host.hasSuffix(".") { host.removeLast() }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count >= 2, !labels.contains(""), let last = labels.last else { return false }
    // An address is never public enough: a private one is one digit away.
    guard last.contains(where: \.isLetter), !last.hasPrefix("0x") else { return false }
    return !privateDomains.contains(String(last)) && !host.hasSuffix(".home.arpa")
}

private let privateDomains: Set<String> = [
    "internal", "intranet", "local", "localdomain", "localhost", "lan", "corp", "home", "private",
    "test", "example", "invalid", "onion", "arpa", "svc", "cluster",
]
