import EventLoop
import Foundation

/// An authority of the tests' own, and certificates of it for a server on loopback.
@LoopActor package struct Certificates {
    /// What a server may show.
    package enum Kind: String, Sendable, CaseIterable {
        case good, expired, otherHost, selfSigned
    }

    package let folder: String
    /// The authority's certificate, for a client that trusts it.
    package var authority: String { folder + "/ca.pem" }

    private static let newKey = [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    ]

    /// Makes them all by `openssl`.
    package init() async throws {
        folder = try TemporaryFolder.make("certificates")
        try await root("ca", "/CN=authority of a test")
        try await root("selfSigned", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        try await issue(.good, name: "IP:127.0.0.1", days: 30)
        try await issue(.expired, name: "IP:127.0.0.1", days: -1)
        try await issue(.otherHost, name: "DNS:elsewhere.test", days: 30)
    }

    /// Deletes them.
    package func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private func root(_ name: String, _ subject: String, _ more: String...) async throws {
        try await openssl(
            ["req", "-x509"] + Self.newKey
                + ["-keyout", "\(name).key", "-out", "\(name).pem", "-days", "30"]
                + ["-subj", subject] + more)
    }

    private func issue(_ kind: Kind, name: String, days: Int) async throws {
        let file = kind.rawValue
        try Data("subjectAltName=\(name)\n".utf8)
            .write(to: URL(filePath: "\(folder)/\(file).names"))
        try await openssl(
            ["req"] + Self.newKey
                + ["-keyout", "\(file).key", "-out", "\(file).request", "-subj", "/CN=server"])
        try await openssl([
            "x509", "-req", "-in", "\(file).request", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-out", "\(file).pem", "-days", "\(days)", "-extfile", "\(file).names",
        ])
    }

    private func openssl(_ words: [String]) async throws {
        try await Program.output(["openssl"] + words, in: folder)
    }
}
