extension String {
    /// What a name may be that stands in the configuration, in logs and on the command line.
    static let plainName = "1 to 64 letters, digits, \"-\", \"_\" or \".\""

    /// Whether it is `plainName`; letters are those of ASCII.
    var isPlainName: Bool {
        (1...64).contains(count)
            && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    /// Whether paths may be appended to it: an http or https URL with a host, in the characters that a URL may have.
    /// Behind a query paths would end up in the wrong place, and who signs in is nobody else's business.
    var isBaseURL: Bool {
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: lowercased().hasPrefix) else { return false }
        let rest = dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" }
        return !host.isEmpty && host.first != ":"
            && rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            && !rest.contains { "@?#\\\"<>^`{|}".contains($0) }
    }
}
