import EventLoop
import HTTP
import HTTPClient
import TestSupport
import Testing

@Suite("A provider's certificate")
@LoopActor struct CertificateTests {
    private func ask(_ server: SecureServer, trusting authorities: String?) async throws -> String {
        let transfer = try Client().start(
            Call(method: .get, url: server.url, authorities: authorities))
        defer { transfer.close() }
        do {
            return "\(try await transfer.head().status.rawValue)"
        } catch let error as ClientError {
            return error.debugDescription
        }
    }

    @Test(
        "B21: is accepted only if it is valid, for this host, and of an authority that is trusted")
    func verified() async throws {
        let certificates = try await Certificates()
        defer { certificates.remove() }
        for kind in Certificates.Kind.allCases {
            let server = try await SecureServer(kind, of: certificates)
            let trusted = try await ask(server, trusting: certificates.authority)
            let untrusted = try await ask(server, trusting: nil)
            let missing = try await ask(server, trusting: certificates.folder + "/nothing.pem")
            await server.stop()
            switch kind {
            case .good: #expect(trusted == "200")
            default: #expect(trusted.hasPrefix("tls: "), "\(kind) \(trusted)")
            }
            #expect(untrusted.hasPrefix("tls: ") && missing.hasPrefix("tls: "))
        }
    }

    @Test(
        "B21: that one call trusts is not trusted by the next one on the same handle or connection")
    func trustIsNotKept() async throws {
        let certificates = try await Certificates()
        defer { certificates.remove() }
        let server = try await SecureServer(.good, of: certificates)
        let client = Client()
        var found: [String] = []
        for authorities in [certificates.authority, nil, certificates.authority, nil] {
            let transfer = try client.start(
                Call(method: .get, url: server.url, authorities: authorities))
            let kind = await failure { _ = try await transfer.body(limit: 1 << 20) }
            transfer.close()
            found.append(kind.map { "\($0)" } ?? "read")
        }
        await server.stop()
        #expect(found == ["read", "tls", "read", "tls"])
    }
}
