import EventLoop
import Foundation
import FuzzTargets
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Hostile JSON in requests") @LoopActor struct HostileTexts {
        private static let path = "/v1/chat/completions"
        private static let messages = #""messages":[{"role":"user","content":"x"}]"#

        private static func ask(
            _ site: Deployment, _ user: User, _ body: [UInt8]
        ) async throws -> WebReply {
            var request = WebRequest("POST", path)
            request.fields = [
                ("Content-Type", "application/json"), ("Authorization", "Bearer \(user.token)"),
            ]
            request.body = body
            return try await site.call(request).reply()
        }

        @Test("E2: JSONTestSuite's texts reach the provider as they are, or are refused with 400")
        func testSuite() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let file = Deployment.root + "/Tests/JSONTests/Fixtures/json-test-suite.txt"
            let texts = try Corpus(file: file).entries
            for (number, text) in texts.enumerated() where number.isMultiple(of: 4) {
                let body = Array(#"{"model":"echo-json",\#(Self.messages),"x":"#.utf8) + text.bytes
                let reply = try await Self.ask(site, user, body + Array("}".utf8))
                if reply.status == 200 {
                    #expect(!text.name.hasPrefix("n_"), "\(text.name)")
                    let sent = try #require(site.provider.recorded.last { $0.model == "echo-json" })
                    // Members that are added come before the blanks at the end.
                    let end = text.bytes.lastIndex { ![0x20, 0x0A, 0x0D, 0x09].contains($0) } ?? 0
                    let member = Array(#""x":"#.utf8) + text.bytes[...end]
                    let isThere = sent.body.firstRange(of: member) != nil
                    #expect(isThere, "\(text.name)")
                } else {
                    Expected(400, "invalid_json", param: reply.error["param"].string).check(reply)
                    #expect(
                        !text.name.hasPrefix("y_") || text.name.contains("duplicated"),
                        "\(text.name)")
                }
            }
        }

        @Test(
            "E3: Depth, numbers of keys, doubled keys and long numbers are refused or pass, and fast"
        )
        func extremes() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            let many = (0..<60_000).map { "\"k\($0)\":0" }.joined(separator: ",")
            let deep = String(repeating: "[", count: 100_000)
            let number = String(repeating: "7", count: 500_000)
            let cases: [(member: String, param: String?, isGood: Bool)] = [
                (#""x":\#(deep)"#, nil, false), (#""x":{\#(many)}"#, nil, false),
                (#""x":{"y":[{"z":1,"z":1}]}"#, "x.y[0].z", false),
                (#""model":"echo""#, "model", false), (#""x":"\#u{1}""#, nil, false),
                (#""x":[\#(number),1e400,-0,1E-400]"#, nil, true),
                (#""x":"\ud800\ude00\udbff""#, nil, true),
                (#""x":"\#(String(repeating: "\\u0000\\n", count: 60_000))""#, nil, true),
            ]
            for (member, param, isGood) in cases {
                let body = #"{"model":"echo-json",\#(Self.messages),\#(member)}"#
                let began = microseconds()
                let reply = try await Self.ask(site, user, Array(body.utf8))
                #expect(microseconds() - began < 25_000_000)
                guard isGood else {
                    Expected(400, "invalid_json", param: param).check(reply)
                    continue
                }
                #expect(reply.status == 200, "\(reply.text.prefix(200))")
                let sent = try #require(site.provider.recorded.last { $0.model == "echo-json" })
                let isSame = sent.body.firstRange(of: Array(member.utf8)) != nil
                #expect(isSame)
            }
        }

        @Test("E4: What Archway does not read reaches the provider byte for byte, in its order")
        func roundTrip() async throws {
            let (site, user) = try await (Shared.deployment(), Shared.user())
            var maker = RandomJSON(seed: 2026)
            for round in 0..<60 {
                let (before, after) = (maker.members("a"), maker.members("b"))
                let blank = round.isMultiple(of: 2) ? " \n\t" : ""
                let question =
                    #""messages":\#(blank)[{"role":"user","content":"x"\#(maker.members("c"))}]"#
                let body =
                    #"{\#(blank)"model":"echo-json"\#(before),\#(blank)\#(question)\#(after)}"#
                let reply = try await Self.ask(site, user, Array(body.utf8))
                #expect(reply.status == 200, "\(body)")
                let sent = try #require(site.provider.recorded.last { $0.model == "echo-json" })
                // What it has to say itself stands behind all else.
                let own = #"(,"stream":(true|false))?(,"stream_options":\{"include_usage":true\})?"#
                let rest = String(decoding: sent.body, as: UTF8.self)
                    .replacing(try Regex(own + #"\}$"#), with: "}")
                #expect(rest == body)
            }
        }
    }
}

/// JSON as nobody would write it: every spelling of numbers, escapes and blanks. The same at every run.
private struct RandomJSON {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func below(_ count: Int) -> Int {
        Int.random(in: 0..<count, using: &generator)
    }

    /// Some members of unknown names, each with a comma before it.
    mutating func members(_ prefix: String) -> String {
        (0..<below(5)).map {
            ",\(blank())\"\(prefix)\($0)\(text())\"\(blank()):\(blank())\(value(4))"
        }
        .joined()
    }

    private mutating func value(_ depth: Int) -> String {
        switch below(depth > 0 ? 8 : 5) {
        case 0: ["true", "false", "null"][below(3)]
        case 1, 2: number()
        case 3, 4: "\"\(text())\""
        case 5, 6:
            "[\((0..<below(4)).map { _ in blank() + value(depth - 1) }.joined(separator: ","))\(blank())]"
        default:
            "{\((0..<below(4)).map { "\(blank())\"\($0)\(text())\":\(value(depth - 1))" }.joined(separator: ","))}"
        }
    }

    private mutating func number() -> String {
        let whole = ["0", "-0", "7", "-12", "123456789012345678901234567890"][below(5)]
        let fraction = ["", "", ".0", ".50", ".000000000000000000001"][below(5)]
        return whole + fraction + ["", "", "e0", "E+5", "e-400", "E400"][below(6)]
    }

    private mutating func text() -> String {
        let pieces = [
            "", "a", "é", "漢", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\uD83D\\uDE00",
            "\\ud800",
            "\\u0000", "'; DROP TABLE x; --", "\u{7f}", "\u{2028}",
        ]
        return (0..<below(4)).map { _ in pieces[below(pieces.count)] }.joined()
    }

    private mutating func blank() -> String { ["", "", " ", "\n", "\t ", "\r\n"][below(6)] }
}
