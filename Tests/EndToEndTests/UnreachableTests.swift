import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

/// A provider and the model of the same name that it answers.
private struct Entry {
    var name: String
    var url: String
    /// More of the provider's settings.
    var settings = ""
    /// The model's name at the provider.
    var model = "echo"

    var provider: String {
        "  \(name): { kind: openai, base_url: \"\(url)/v1\"\(settings), "
            + "circuit_breaker: { failures: 0 } }\n"
    }

    var served: String {
        "  - { id: \(name), candidates: [ { provider: \(name), model: \(model) } ] }\n"
    }
}

extension EndToEnd {
    @Suite("A provider that cannot be had") @LoopActor struct UnreachableProviders {
        private static func with(
            _ entries: @escaping @Sendable (UInt16) -> [Entry],
            _ body: @LoopActor (Deployment, User) async throws -> Void
        ) async throws {
            var plan = DeploymentPlan()
            plan.models = entries(0).map(\.served).joined()
            plan.providers = { entries($0).map(\.provider).joined() }
            try await withDeployment(plan, body)
        }

        @Test("B18: runs into the deadline of its phase, which the log names")
        func stalls() async throws {
            let (silent, full) = try (DeafServer(), DeafServer(isFull: true))
            let (plain, secure) = (
                "http://127.0.0.1:\(silent.port)", "https://127.0.0.1:\(silent.port)"
            )
            let phases = ["connect", "tls", "firstByte", "total", "betweenBytes"]
            try await Self.with({ port in
                [
                    Entry(
                        name: "connect", url: "http://127.0.0.1:\(full.port)",
                        settings: ", deadlines: { connect: 1 }"),
                    Entry(name: "tls", url: secure, settings: ", deadlines: { tls: 1 }"),
                    Entry(
                        name: "firstByte", url: plain, settings: ", deadlines: { first_byte: 1 }"),
                    Entry(name: "total", url: plain, settings: ", deadlines: { total: 1 }"),
                    Entry(
                        name: "betweenBytes", url: "http://127.0.0.1:\(port)",
                        settings: ", deadlines: { between_bytes: 1 }", model: "hang-after-3"),
                ]
            }) { site, user in
                _ = try await concurrently(phases.count) { number in
                    let phase = phases[number]
                    let began = Loop.now
                    let reply = try await site.answer(Chat(phase).streamed, user)
                    let took = Loop.now - began
                    let code = reply.events.last?.json["error"]["code"] ?? reply.error["code"]
                    let expected =
                        ["connect", "tls"].contains(phase)
                        ? "provider_unreachable" : "provider_timeout"
                    #expect(code.string == expected, "\(phase): \(reply.text)")
                    #expect(!reply.text.contains("[DONE]"))
                    // A call that another attempt may follow takes its time again: three of the shortest deadline that
                    // is not set here are 15 seconds.
                    #expect((995..<15_000).contains(took), "\(phase): \(took) ms")
                    let line = try #require(await site.log.request(reply.requestID))
                    let detail = line["detail"].string ?? ""
                    #expect(detail.contains("deadline \(phase)"), "\(detail)")
                    figure("stall, deadline \(phase) of 1000 ms: told after \(took) ms")
                }
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
            withExtendedLifetime((silent, full)) {}
        }

        @Test("B18: but says now and then that it lives is waited for until the total deadline")
        func comments() async throws {
            try await Self.with({ port in
                [
                    Entry(
                        name: "commenting", url: "http://127.0.0.1:\(port)",
                        settings:
                            ", deadlines: { first_byte: 3, between_bytes: 3, total: 5 }",
                        model: "commenting")
                ]
            }) { site, user in
                let began = Loop.now
                let reply = try await site.answer(
                    Chat("commenting").streamed, user)
                #expect(Loop.now - began >= 4995)
                let code = reply.events.last?.json["error"]["code"] ?? reply.error["code"]
                #expect(code.string == "provider_timeout", "\(reply.text)")
                let line = try #require(await site.log.request(reply.requestID))
                #expect(line["detail"].string?.contains("deadline total") == true)
            }
        }

        @Test("B21: for its name or its certificate is a 502, and only the log says why")
        func names() async throws {
            let certificates = try await Certificates()
            defer { certificates.remove() }
            var servers: [SecureServer] = []
            for kind in Certificates.Kind.allCases {
                servers.append(try await SecureServer(kind, of: certificates))
            }
            let urls = servers.map(\.url)
            let trust = ", ca_file: \(certificates.authority)"
            let names = Certificates.Kind.allCases.map(\.rawValue)
            let wait = ", deadlines: { first_byte: 2 }"
            let secure = zip(names, urls).map { Entry(name: $0, url: $1, settings: trust + wait) }
            let others = [
                Entry(name: "untrusted", url: urls[0]),
                Entry(name: "nameless", url: "https://nowhere.invalid"),
            ]
            try await Self.with({ _ in secure + others }) { site, user in
                let details = [
                    ("expired", "tls"), ("otherHost", "tls"), ("selfSigned", "tls"),
                    ("untrusted", "tls"), ("nameless", "unreachable"), ("good", "firstByte"),
                ]
                _ = try await concurrently(details.count) { number in
                    let (name, detail) = details[number]
                    let reply = try await site.answer(Chat(name), user)
                    // This server takes the connection, and has no answer to a chat.
                    (name == "good"
                        ? Expected(504, "provider_timeout") : Expected(502, "provider_unreachable"))
                        .check(reply)
                    let line = try #require(await site.log.request(reply.requestID))
                    let told = line["detail"].string ?? ""
                    #expect(told.contains(detail), "\(name): \(told)")
                }
            }
            for server in servers { await server.stop() }
        }

        @Test(
            "B21: by itself but sends the caller elsewhere is not followed",
            arguments: [
                "http://169.254.169.254/latest/meta-data/", "//127.0.0.1:OTHER/v1/models",
                "http://127.0.0.1:OTHER/", "https://127.0.0.1:OTHER/", "file:///etc/passwd",
                "gopher://127.0.0.1:OTHER/", "/v1/elsewhere",
            ])
        func redirects(address: String) async throws {
            let (site, user) = try await Hostile.deployment()
            let other = try ProviderServer()
            defer { other.stop() }
            let target = address.replacing("OTHER", with: "\(other.port)")
            let before = site.questions.count
            for isStream in [true, false] {
                let reply = try await site.answer(
                    Chat("elsewhere", target).with { $0.isStream = isStream }, user)
                Expected(502, "provider_bad_response").check(reply)
                let line = try #require(await site.log.request(reply.requestID))
                #expect(line["detail"].string?.contains("307") == true)
            }
            #expect(other.recorded.isEmpty)
            let asked = site.questions.dropFirst(before)
            #expect(asked.map(\.path) == ["/v1/chat/completions", "/v1/chat/completions"])
        }
    }
}
